# Table 4: inter-frame interaction alone.
_base_ = './r50_ytvos.py'
model = dict(
    fusion=dict(
        _delete_=True, type='CrossModalFusion', embed_dims=256, num_heads=8))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_ifi.pth'
