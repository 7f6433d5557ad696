# MTTR, Video-Swin-T, on Ref-YouTube-VOS, clips of 12 frames.
#   bash tools/dist_train.sh configs/mttr/video-swin-t_ytvos.py 4
# Paper: J&F 55.32.
_base_ = [
    './_base_/mttr_video-swin-t.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_70e.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_epochs=30)
# The official config says epoch 20. Its scheduler, however, receives the loss
# of an epoch instead of its number, and drops the rate after one epoch.
param_scheduler = [
    dict(type='MultiStepLR', milestones=[1], gamma=0.4, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=4)  # 4 GPUs x 1
