# RefCOCO as MLRL is pre-trained on it (Table 1): still images at 432 x 240.
# The object level learns from all objects of an image that have a sentence.
data_root = 'data/coco/'

train_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks', all_objects=True),
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipResize', short_sides=240, longest=432, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=240, longest=432),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='RefCOCODataset',
        data_root=data_root,
        ann_file='refcoco/instances_refcoco_train.json',
        data_prefix=dict(img='train2014'),
        lower_case=False,  # the files hold cleaned expressions
        pipeline=train_pipeline))
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
