# Ref-YouTube-VOS without the pre-training on still images.
_base_ = './r50_ytvos.py'
load_from = None
load_cfg = dict(drop=[])

train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[6, 8], gamma=0.1, by_epoch=True)
]
