# IFIRVOS, Swin-T: weights of swin-t_ytvos.py tested on Ref-DAVIS17, in windows
# of 36 frames as ReferFormer. The paper has no result with this backbone.
#   bash tools/dist_test.sh configs/ifirvos/swin-t_davis17.py CHECKPOINT 8
_base_ = [
    './_base_/ifirvos_r50.py',
    '../_base_/backbones/swin-t.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_t,
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/ifirvos_swin-t_ytvos.pth'
