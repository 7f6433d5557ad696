# Table 3: clips and windows of 4 frames.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_4-frames.py 4
# Paper: J 47.47, F 49.83.
_base_ = '../r50_ytvos.py'
num_frames = 4
model = dict(test_cfg=dict(window=num_frames))
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
