# MUTR, Swin-S, trained from the start on Ref-YouTube-VOS and RefCOCO/+/g.
#   bash tools/dist_train.sh configs/mutr/swin-s_joint.py 8
# Supported by the official code, not reported.
_base_ = [
    './_base_/mutr_r50.py',
    '../_base_/backbones/swin-s.py',
    './_base_/refcoco_ref_youtube_vos.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = _base_.swin_s
