# Grounding DINO (tiny) and SAM 2.1 (tiny) on Ref-YouTube-VOS; no training:
#   python tools/test.py configs/grounded_sam2/tiny_ytvos.py
_base_ = [
    './_base_/grounded_sam2.py',
    '../_base_/datasets/ref_youtube_vos_full-size.py',
    '../_base_/default_runtime.py',
]
