# SAM 3 on Ref-DAVIS17; no training:
#   python tools/test.py configs/sam3/full_davis17.py
_base_ = [
    './_base_/sam3.py',
    '../_base_/datasets/ref_davis17_full-size.py',
    '../_base_/default_runtime.py',
]
