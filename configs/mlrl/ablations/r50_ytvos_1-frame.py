# Table 3: clips and windows of 1 frame.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_1-frame.py 4
# Paper: J 46.12, F 48.90.
_base_ = '../r50_ytvos.py'
num_frames = 1
model = dict(test_cfg=dict(window=num_frames))
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
