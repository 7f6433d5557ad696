# MUTR, Video-Swin-S: weights of video-swin-s_joint.py tested on Ref-DAVIS17,
# in windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/video-swin-s_davis17.py CHECKPOINT 8
# Paper: J&F 66.1 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/video-swin-s.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_s,
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_video-swin-s_joint.pth'
