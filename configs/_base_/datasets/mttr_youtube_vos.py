# Ref-YouTube-VOS as MTTR trains on it: all objects of 12 consecutive frames.
_base_ = './ref_youtube_vos_windows.py'
num_frames = 12

train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks', all_objects=True),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
