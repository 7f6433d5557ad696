# MUTR, ResNet-50: weights of r50_joint.py tested on Ref-DAVIS17, in
# windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/r50_davis17.py CHECKPOINT 8
# Paper: J&F 65.3 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_r50_joint.pth'
