# HTML on the clips of ReferFormer's code instead of sliding windows: a key
# frame, two frames 1 to 3 frames away, and frames from anywhere in the video.
# A stride of scales is then no fixed distance in time. Ours: the paper has no
# such row.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_local-global.py 8
_base_ = '../r50_ytvos.py'
train_pipeline = [
    dict(type='SampleLocalGlobalFrames', num_frames=_base_.num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
