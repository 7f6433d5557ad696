# RefCOCO/+/g as clips of altered copies, and Ref-YouTube-VOS, from the start.
# The published weights were made on 32 GPUs; the official script says 8 x 1.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/refcoco_youtube_vos.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[8, 10], gamma=0.1, by_epoch=True)
]
