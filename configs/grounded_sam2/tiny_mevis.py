# Grounding DINO (tiny) and SAM 2.1 (tiny) on MeViS (valid_u); no training:
#   python tools/test.py configs/grounded_sam2/tiny_mevis.py
_base_ = [
    './_base_/grounded_sam2.py',
    '../_base_/datasets/mevis_full-size.py',
    '../_base_/default_runtime.py',
]
