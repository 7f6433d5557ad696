# Table 3: attention within frames in the object encoder.
_base_ = './r50_ytvos.py'
model = dict(levels=dict(object=dict(scope='frame')))
