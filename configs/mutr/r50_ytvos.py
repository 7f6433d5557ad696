# MUTR, ResNet-50, trained from the start on Ref-YouTube-VOS alone. The
# official code has no such recipe: this is that of the joint training.
#   bash tools/dist_train.sh configs/mutr/r50_ytvos.py 8
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/datasets/ref_youtube_vos.py',
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
