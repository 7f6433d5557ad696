# ReferFormer, ResNet-50: weights of r50_ytvos.py tested on Ref-DAVIS17, in
# windows of 36 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/referformer/r50_davis17.py CHECKPOINT 8
# Paper: J&F 58.5 on Ref-DAVIS17.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/ref_davis17.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/referformer_r50_ytvos.pth'
