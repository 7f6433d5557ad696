# Ref-YouTube-VOS as SOC's code trains on it.
_base_ = './ref_youtube_vos_windows.py'

augmentation = [
    # the code tests a normal draw against 0.5; a probability of 0.5 is meant
    dict(type='ClipFlip', prob=0.3085),
    dict(type='ClipResize', short_sides=360, longest=640, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=_base_.num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    *augmentation,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
