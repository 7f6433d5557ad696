# HTML, Video-Swin-B: weights of video-swin-b_ytvos.py tested on Ref-DAVIS17,
# in windows of 36 frames as ReferFormer.
#   bash tools/dist_test.sh configs/html/video-swin-b_davis17.py CHECKPOINT 8
# Paper: J&F 62.1 on Ref-DAVIS17.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    type='HTML',
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/html_video-swin-b_ytvos.pth'
