# SAM 3 on Ref-YouTube-VOS; no training:
#   python tools/test.py configs/sam3/full_ytvos.py
_base_ = [
    './_base_/sam3.py',
    '../_base_/datasets/ref_youtube_vos_full-size.py',
    '../_base_/default_runtime.py',
]
