# Grounding DINO (tiny) and SAM 2.1 (tiny) on Ref-DAVIS17; no training:
#   python tools/test.py configs/grounded_sam2/tiny_davis17.py
_base_ = [
    './_base_/grounded_sam2.py',
    '../_base_/datasets/ref_davis17_full-size.py',
    '../_base_/default_runtime.py',
]
# the sentences of a sample are about different objects
model = dict(test_cfg=dict(propagator=dict(compete=True)))
