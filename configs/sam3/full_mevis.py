# SAM 3 on MeViS (valid_u); no training:
#   python tools/test.py configs/sam3/full_mevis.py
_base_ = [
    './_base_/sam3.py',
    '../_base_/datasets/mevis_full-size.py',
    '../_base_/default_runtime.py',
]
# a sentence of MeViS may refer to several objects
model = dict(choose='all')
