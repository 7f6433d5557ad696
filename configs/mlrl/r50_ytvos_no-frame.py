# Table 3: without the frame level.
_base_ = './r50_ytvos.py'
model = dict(levels=dict(frame=None))
