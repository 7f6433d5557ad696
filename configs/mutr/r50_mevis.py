# MUTR, ResNet-50, fine-tuned on MeViS from the joint training. The official
# code has no such recipe: this has the rates of the joint training and the
# epochs of ReferFormer's fine-tuning.
#   bash tools/dist_train.sh configs/mutr/r50_mevis.py 8
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/datasets/mevis.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=432),
    dict(type='PackRVOSInputs', keep_masks=True),
]
train_dataloader = dict(batch_size=2)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=6)
param_scheduler = [
    dict(
        type='MultiStepLR', milestones=[3, 5], gamma=0.1,
        by_epoch=True)
]
load_from = 'checkpoints/mutr_r50_joint.pth'
