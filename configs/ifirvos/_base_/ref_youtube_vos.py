# Ref-YouTube-VOS as IFIRVOS trains on it: clips of 6 frames, all of one size
# (section 4.2).
data_root = 'data/ref-youtube-vos/'
num_frames = 6

resize = dict(
    type='ClipResize', short_sides=360, longest=640, backend='torch')
train_pipeline = [
    dict(type='SampleLocalGlobalFrames', num_frames=num_frames),
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
