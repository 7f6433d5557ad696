# Table 3: without the object level.
_base_ = './r50_ytvos.py'
model = dict(levels=dict(object=None))
