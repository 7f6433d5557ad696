# RefCOCO, RefCOCO+ and RefCOCOg as SAMWISE is pretrained on them: single
# images with a longest side of 1024, no augmentation.
data_root = 'data/coco/'

resize = dict(
    type='ClipResize', short_sides=1024, longest=1024, backend='torch')
train_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    resize,
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(resize, backend='pillow'),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='RefCOCODataset',
                data_root=data_root,
                ann_file=f'{name}/instances_{name}_train.json',
                data_prefix=dict(img='train2014'),
                lower_case=False,  # the files hold cleaned expressions
                pipeline=train_pipeline)
            for name in ('refcoco', 'refcoco+', 'refcocog')
        ]))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='RefCOCODataset',
        data_root=data_root,
        ann_file='refcoco/instances_refcoco_val.json',
        data_prefix=dict(img='train2014'),
        lower_case=False,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='RefCOCOMetric')
test_evaluator = val_evaluator
