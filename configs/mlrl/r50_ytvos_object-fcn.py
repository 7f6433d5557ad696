# Table 3: convolutions as the object encoder.
_base_ = './r50_ytvos.py'
model = dict(
    levels=dict(object=dict(_delete_=True, type='ConvObjectEncoder')))
