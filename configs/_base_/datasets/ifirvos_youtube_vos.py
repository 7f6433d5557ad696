# Ref-YouTube-VOS as IFIRVOS trains on it: clips of six frames.
_base_ = ['./ref_youtube_vos.py', './ifirvos_augmentation.py']
num_frames = 6

train_pipeline = [
    dict(type='SampleLocalGlobalFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    *_base_.ifirvos_augmentation,
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360, longest=640),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
