# SOC, Video-Swin-B, trained from the start on Ref-YouTube-VOS and RefCOCO/+/g
# (Table 1, "Joint Train"). The official README freezes the text model, its
# config file trains it.
#   bash tools/dist_train.sh configs/soc/video-swin-b_joint.py 8
# Paper: J&F 67.3 on Ref-YouTube-VOS, 65.8 on Ref-DAVIS17.
_base_ = [
    './_base_/soc_video-swin-t.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/refcoco_ref_youtube_vos.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    text_encoder=dict(frozen=False))
