# ReferFormer, ResNet-50, on Ref-YouTube-VOS without pre-training on still
# images: 10 epochs.
#   bash tools/dist_train.sh configs/referformer/r50_ytvos_scratch.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/ref_youtube_vos.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[6, 8], gamma=0.1, by_epoch=True)
]
