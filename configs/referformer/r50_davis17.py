# For testing weights of r50_ytvos.py on Ref-DAVIS17: clips of 36 frames, and
# one label map from the sentences of an annotator. Training it fine-tunes
# these weights, which the usual numbers do not.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/ref_davis17.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/referformer_r50_ytvos.pth'
model = dict(
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
