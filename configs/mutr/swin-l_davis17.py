# MUTR, Swin-L: weights of swin-l_joint.py tested on Ref-DAVIS17, in
# windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/swin-l_davis17.py CHECKPOINT 8
# Paper: J&F 68.0 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/swin-l.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_l,
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_swin-l_joint.pth'
