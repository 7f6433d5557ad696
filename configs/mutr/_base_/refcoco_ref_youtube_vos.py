# Joint training of MUTR: the data of ReferFormer's, two clips per GPU, and
# tested with a short side of 432 and no limit of the long side.
data_root = 'data/ref-youtube-vos/'
num_frames = 5

resize = dict(
    type='ClipResize',
    short_sides=[288, 320, 352, 392, 416, 448, 480, 512],
    longest=640,
    backend='torch')
augmentation = [
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipPhotometricDistort'),
    dict(
        type='RandomChoice',
        transforms=[
            [resize],
            [
                dict(
                    type='ClipResize',
                    short_sides=[400, 500, 600],
                    backend='torch'),
                dict(type='ClipRandomCrop', min_size=384, max_size=600),
                resize,
            ],
        ]),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
train_pipeline = [
    dict(type='SampleLocalGlobalFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    *augmentation,
]
image_train_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(type='ImageToClip', num_frames=num_frames),
    *augmentation,
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=432),
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
        ignore_keys=['classes'],
        datasets=[
            *[
                dict(
                    type='RefCOCODataset',
                    data_root='data/coco/',
                    ann_file=f'{name}/instances_{name}_train.json',
                    data_prefix=dict(img='train2014'),
                    lower_case=False,  # the files hold cleaned expressions
                    pipeline=image_train_pipeline)
                for name in ('refcoco', 'refcoco+', 'refcocog')
            ],
            dict(
                type='RefYoutubeVOSDataset',
                data_root=data_root,
                ann_file='meta_expressions/train/meta_expressions.json',
                data_prefix=dict(
                    img='train/JPEGImages', mask='train/Annotations'),
                num_frames=num_frames,
                pipeline=train_pipeline),
        ]))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='RefYoutubeVOSDataset',
        data_root=data_root,
        ann_file='meta_expressions/valid/meta_expressions.json',
        # without the videos of the test set, 202 remain
        exclude_file='meta_expressions/test/meta_expressions.json',
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        lower_case=False,  # as the official inference
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='RefYoutubeVOSMetric')
test_evaluator = val_evaluator
