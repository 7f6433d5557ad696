_base_ = ['./r50_ytvos.py', '../_base_/backbones/swin-s.py']
model = _base_.swin_s
load_from = 'checkpoints/referformer_swin-s_refcoco-pretrain.pth'
