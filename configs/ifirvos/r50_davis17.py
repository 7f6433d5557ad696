# For testing weights of r50_ytvos.py on Ref-DAVIS17, as ReferFormer does.
_base_ = [
    '../_base_/models/ifirvos_r50.py',
    '../_base_/datasets/ref_davis17.py',
    '../_base_/schedules/ifirvos_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/ifirvos_r50_ytvos.pth'
model = dict(
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
