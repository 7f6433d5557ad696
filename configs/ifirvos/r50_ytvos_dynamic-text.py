# Table 5: vision reads the updated words.
_base_ = './r50_ytvos.py'
model = dict(fusion=dict(text_update='dynamic'))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_dynamic-text.pth'
