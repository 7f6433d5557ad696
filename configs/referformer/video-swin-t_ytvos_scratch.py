# ReferFormer, Video-Swin-T, on Ref-YouTube-VOS without pre-training on still
# images: 10 epochs.
#   bash tools/dist_train.sh \
#       configs/referformer/video-swin-t_ytvos_scratch.py 8
# Paper: J&F 56.0 on Ref-YouTube-VOS.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/ref_youtube_vos.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = _base_.video_swin_t
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[6, 8], gamma=0.1, by_epoch=True)
]
