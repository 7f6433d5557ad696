# Table 6a.
_base_ = './r50_ytvos.py'
model = dict(num_scales=2)
