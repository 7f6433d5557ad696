# Table 4: inter-frame interaction alone.
_base_ = './r50_refcoco-pretrain.py'
model = dict(
    fusion=dict(
        _delete_=True, type='CrossModalFusion', embed_dims=256, num_heads=8))
