# SOC, Video-Swin-B: weights of video-swin-b_ytvos.py or video-swin-b_joint.py
# tested on Ref-DAVIS17, in windows of 36 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/soc/video-swin-b_davis17.py CHECKPOINT 8
_base_ = [
    './_base_/soc_video-swin-t.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
