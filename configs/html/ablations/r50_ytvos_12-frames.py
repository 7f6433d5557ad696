# Table 6b: clips of 12 frames, at scales of 12, 6 and 3.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_12-frames.py 8
# Paper: J&F 57.5 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
num_frames = 12
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
