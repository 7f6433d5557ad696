# For testing Ref-YouTube-VOS or joint weights on Ref-DAVIS17: clips of 36
# frames, and one label map from the sentences of an annotator.
_base_ = [
    '../_base_/models/soc_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/soc_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
test_cfg = dict(type='TestLoop')
