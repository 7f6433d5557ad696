# Ref-YouTube-VOS without pre-training on still images (Table 1, first part).
_base_ = [
    '../_base_/models/soc_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/soc_youtube_vos.py',
    '../_base_/schedules/soc_30e.py',
    '../_base_/default_runtime.py',
]
model = _base_.video_swin_t
