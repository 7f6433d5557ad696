# Ref-YouTube-VOS as MTTR and SOC train on it: consecutive frames at one
# scale, flipped with their words, nothing else.
_base_ = './ref_youtube_vos.py'
num_frames = 8  # SOC; MTTR: 12

train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(type='ClipFlip', prob=0.5),  # SOC's code comes to 0.3085
    dict(type='ClipResize', short_sides=360, longest=640, backend='torch'),
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
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
