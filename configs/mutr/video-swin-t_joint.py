# MUTR, Video-Swin-T, trained from the start on Ref-YouTube-VOS and
# RefCOCO/+/g.
#   bash tools/dist_train.sh configs/mutr/video-swin-t_joint.py 8
# Paper: J&F 64.0 on Ref-YouTube-VOS.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/video-swin-t.py',
    './_base_/refcoco_ref_youtube_vos.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = _base_.video_swin_t
