# Table 4: vision-language interaction alone.
_base_ = './r50_refcoco-pretrain.py'
model = dict(decoder=dict(inter_frame=None))
