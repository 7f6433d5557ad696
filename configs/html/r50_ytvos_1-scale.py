# Tables 5 (iv) and 6a: ReferFormer with clips of 8 frames.
_base_ = './r50_ytvos.py'
model = dict(num_scales=1)
