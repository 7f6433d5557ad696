# Table 3: clips and windows of 2 frames.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_2-frames.py 4
# Paper: J 46.80, F 49.24.
_base_ = '../r50_ytvos.py'
num_frames = 2
model = dict(test_cfg=dict(window=num_frames))
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
