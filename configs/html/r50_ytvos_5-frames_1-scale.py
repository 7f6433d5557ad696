# Table 5 (i): ReferFormer.
_base_ = './r50_ytvos_5-frames.py'
model = dict(num_scales=1)
