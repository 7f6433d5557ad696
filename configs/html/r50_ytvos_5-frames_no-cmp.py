# Table 5 (ii): scales without masks across them.
_base_ = './r50_ytvos_5-frames.py'
model = dict(direction='none')
