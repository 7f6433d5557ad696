# MeViS as SAMWISE is trained on it: clips of 8 frames of the whole video, a
# longest side of 1024, no augmentation.
data_root = 'data/mevis/'
num_frames = 8

train_pipeline = [
    dict(
        type='SampleLocalGlobalFrames', num_frames=num_frames, redraw=True),
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
        type='MeViSDataset',
        data_root=data_root,
        ann_file='train/meta_expressions.json',
        mask_file='train/mask_dict.json',
        data_prefix=dict(img='train/JPEGImages'),
        num_frames=num_frames,
        pipeline=train_pipeline))
# valid_u is the split with public masks
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='MeViSDataset',
        data_root=data_root,
        ann_file='valid_u/meta_expressions.json',
        mask_file='valid_u/mask_dict.json',
        data_prefix=dict(img='valid_u/JPEGImages'),
        lower_case=False,  # as the official inference
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='MeViSMetric')
test_evaluator = val_evaluator
