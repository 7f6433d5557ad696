# Ref-YouTube-VOS as SAMWISE is trained on it: clips of 8 frames near each
# other, a longest side of 1024, no augmentation.
data_root = 'data/ref-youtube-vos/'
num_frames = 8

train_pipeline = [
    dict(type='SampleNearbyFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(
        type='ClipResize', short_sides=1024, longest=1024, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=1020, longest=1024, exact=True),
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
