# Table 7: training clips of 5 frames.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_5frames.py 8
# Paper: J&F 58.4 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
num_frames = 5
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
