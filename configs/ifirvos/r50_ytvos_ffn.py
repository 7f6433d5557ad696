# Table 5: interaction by attention and a feed-forward network.
_base_ = './r50_ytvos.py'
model = dict(fusion=dict(interaction='ffn'))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_ffn.pth'
