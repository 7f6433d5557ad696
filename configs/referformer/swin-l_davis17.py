# ReferFormer, Swin-L: weights of swin-l_ytvos.py tested on Ref-DAVIS17, in
# windows of 36 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/referformer/swin-l_davis17.py CHECKPOINT 8
# Paper: J&F 60.5 on Ref-DAVIS17.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/swin-l.py',
    '../_base_/datasets/ref_davis17.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_l,
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/referformer_swin-l_ytvos.pth'
