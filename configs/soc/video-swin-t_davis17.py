# SOC, Video-Swin-T: weights of video-swin-t_ytvos.py or video-swin-t_joint.py
# tested on Ref-DAVIS17, in windows of 36 frames, one label map per annotator.
#   bash tools/dist_test.sh configs/soc/video-swin-t_davis17.py CHECKPOINT 8
_base_ = [
    './_base_/soc_video-swin-t.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(window=36, postprocessor=dict(type='MergeObjects')))
