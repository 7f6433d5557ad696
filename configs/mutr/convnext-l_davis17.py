# MUTR, ConvNeXt-L: weights of convnext-l_joint.py tested on Ref-DAVIS17, in
# windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/convnext-l_davis17.py CHECKPOINT 8
# Paper: J&F 69.0 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/convnext-l.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.convnext_l,
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_convnext-l_joint.pth'
