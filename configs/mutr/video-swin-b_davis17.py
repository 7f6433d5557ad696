# MUTR, Video-Swin-B: weights of video-swin-b_joint.py tested on Ref-DAVIS17,
# in windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/video-swin-b_davis17.py CHECKPOINT 8
# Paper: J&F 66.4 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_video-swin-b_joint.pth'
