# Table 3: clips and windows of 8 frames.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_8-frames.py 4
# Paper: J 48.11, F 50.41.
_base_ = '../r50_ytvos.py'
num_frames = 8
model = dict(test_cfg=dict(window=num_frames))
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
