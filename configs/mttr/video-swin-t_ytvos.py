# Ref-YouTube-VOS, clips of 12 frames.
_base_ = [
    '../_base_/models/mttr_video-swin-t.py',
    '../_base_/datasets/mttr_youtube_vos.py',
    '../_base_/schedules/mttr_70e.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_epochs=30)
# The official config says epoch 20. Its scheduler, however, is handed the
# epoch's loss in place of the epoch's number, and drops the rate after one.
param_scheduler = [
    dict(type='MultiStepLR', milestones=[1], gamma=0.4, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=4)  # 4 GPUs x 1
