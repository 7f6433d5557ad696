# Tables 5 (iii) and 6b: clips of 5 frames, at scales of 5, 3 and 2.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_5-frames.py 8
# Paper: J&F 56.3 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
num_frames = 5
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
