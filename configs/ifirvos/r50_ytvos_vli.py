# Table 4: vision-language interaction alone.
_base_ = './r50_ytvos.py'
model = dict(decoder=dict(inter_frame=None))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_vli.pth'
