# Ref-YouTube-VOS as HTML trains on it: sliding windows of 8 frames (section
# 4.2), at temporal scales of 8, 4 and 2. Augmentation is that of ReferFormer.
data_root = 'data/ref-youtube-vos/'
num_frames = 8

resize = dict(
    type='ClipResize',
    short_sides=[288, 320, 352, 392, 416, 448, 480, 512],
    longest=640,
    backend='torch')
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
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
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360, longest=640),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='RefYoutubeVOSDataset',
        data_root=data_root,
        ann_file='meta_expressions/train/meta_expressions.json',
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'),
        num_frames=num_frames,
        pipeline=train_pipeline))
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
