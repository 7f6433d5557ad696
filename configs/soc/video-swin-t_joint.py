# RefCOCO/+/g as clips of altered copies, and Ref-YouTube-VOS, from the start
# (Table 1, "Joint Train"). The official README freezes the text model, its
# config file trains it.
_base_ = [
    '../_base_/models/soc_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/soc_refcoco_youtube_vos.py',
    '../_base_/schedules/soc_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(_base_.video_swin_t, text_encoder=dict(frozen=False))
