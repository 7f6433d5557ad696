# ReferFormer, Swin-T: weights of swin-t_ytvos.py tested on Ref-DAVIS17, in
# windows of 36 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/referformer/swin-t_davis17.py CHECKPOINT 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/swin-t.py',
    '../_base_/datasets/ref_davis17.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_t,
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/referformer_swin-t_ytvos.pth'
