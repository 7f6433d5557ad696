# Table 5: vision reads the updated words.
_base_ = './r50_refcoco-pretrain.py'
model = dict(fusion=dict(text_update='dynamic'))
