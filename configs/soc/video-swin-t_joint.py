# SOC, Video-Swin-T, trained from the start on Ref-YouTube-VOS and RefCOCO/+/g
# (Table 1, "Joint Train"). The official README freezes the text model, its
# config file trains it.
#   bash tools/dist_train.sh configs/soc/video-swin-t_joint.py 8
# Paper: J&F 65.0 on Ref-YouTube-VOS, 64.2 on Ref-DAVIS17.
_base_ = [
    './_base_/soc_video-swin-t.py',
    './_base_/refcoco_ref_youtube_vos.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    text_encoder=dict(frozen=False))
