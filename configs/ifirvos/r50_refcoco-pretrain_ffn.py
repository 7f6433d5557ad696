# Table 5: interaction by attention and a feed-forward network.
_base_ = './r50_refcoco-pretrain.py'
model = dict(fusion=dict(interaction='ffn'))
