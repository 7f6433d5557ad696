# RefCOCO, RefCOCO+ and RefCOCOg together, for pre-training on still images.
data_root = 'data/coco/'

train_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(type='ClipFlip', prob=0.5),
    dict(
        type='RandomChoice',
        transforms=[
            [
                dict(
                    type='ClipResize',
                    short_sides=list(range(480, 769, 32)),
                    longest=800,
                    backend='torch')
            ],
            [
                dict(
                    type='ClipResize',
                    short_sides=[400, 500, 600],
                    backend='torch'),
                dict(type='ClipRandomCrop', min_size=384, max_size=600),
                dict(
                    type='ClipResize',
                    short_sides=[296, 328, 360, 392, 416, 448, 480, 512],
                    longest=640,
                    backend='torch')
            ],
        ]),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360, longest=640),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    batch_size=2,
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
