# MTTR, Video-Swin-T, on Ref-YouTube-VOS, clips of 8 frames.
#   bash tools/dist_train.sh configs/mttr/video-swin-t_ytvos_8-frames.py 8
_base_ = './video-swin-t_ytvos.py'
num_frames = 8
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
auto_scale_lr = dict(base_batch_size=8)  # 8 GPUs x 1
