# Table 4, baseline: ReferFormer in this recipe.
_base_ = './r50_refcoco-pretrain.py'
model = dict(
    fusion=dict(
        _delete_=True, type='CrossModalFusion', embed_dims=256, num_heads=8),
    decoder=dict(inter_frame=None))
