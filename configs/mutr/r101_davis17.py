# MUTR, ResNet-101: weights of r101_joint.py tested on Ref-DAVIS17, in
# windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/r101_davis17.py CHECKPOINT 8
# Paper: J&F 65.3 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/r101.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.r101,
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_r101_joint.pth'
