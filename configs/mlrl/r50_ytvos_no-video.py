# Table 3: without the video level.
_base_ = './r50_ytvos.py'
model = dict(levels=dict(video=None))
