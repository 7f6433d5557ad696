# MUTR, Video-Swin-T: weights of video-swin-t_joint.py tested on Ref-DAVIS17,
# in windows of 64 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/mutr/video-swin-t_davis17.py CHECKPOINT 8
# Paper: J&F 66.5 on Ref-DAVIS17.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/video-swin-t.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    test_cfg=dict(window=64, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mutr_video-swin-t_joint.pth'
