# Table 3: clips of 4 frames.
_base_ = './r50_ytvos.py'
num_frames = 4
model = dict(test_cfg=dict(window=num_frames))
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.load_clip,
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
