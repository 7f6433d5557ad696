# HTML, ResNet-50: weights of r50_ytvos.py tested on Ref-DAVIS17, in windows of
# 36 frames as ReferFormer.
#   bash tools/dist_test.sh configs/html/r50_davis17.py CHECKPOINT 8
# Paper: J&F 59.5 on Ref-DAVIS17.
_base_ = [
    '../_base_/models/referformer_r50.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    type='HTML',
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/html_r50_ytvos.pth'
