# Ref-YouTube-VOS, clips of 12 frames of 432 x 240 (their long and short sides,
# where the video has another shape), without propagation.
_base_ = [
    '../_base_/models/mlrl_r50.py',
    '../_base_/datasets/ref_youtube_vos.py',
    '../_base_/schedules/mlrl_12e.py',
    '../_base_/default_runtime.py',
]
num_frames = 12
load_clip = [
    dict(type='LoadFrames'),
    # the object level learns from all objects
    dict(type='LoadClipMasks', all_objects=True),
    dict(type='ClipFlip', prob=0.5),
    dict(
        type='ClipResize', short_sides=240, longest=432, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *load_clip,
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=240, longest=432),
    dict(type='PackRVOSInputs', keep_masks=True),
]
train_dataloader = dict(
    batch_size=2,
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(extras=('precision', ))
test_evaluator = val_evaluator
