# SOC, Video-Swin-T, on Ref-YouTube-VOS without pre-training on still images
# (Table 1, first part).
#   bash tools/dist_train.sh configs/soc/video-swin-t_ytvos_scratch.py 8
# Paper: J&F 59.2 on Ref-YouTube-VOS, 59.0 on Ref-DAVIS17.
_base_ = [
    './_base_/soc_video-swin-t.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
