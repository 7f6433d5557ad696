_base_ = ['./r50_ytvos.py', '../_base_/backbones/swin-l.py']
model = _base_.swin_l
load_from = 'checkpoints/referformer_swin-l_refcoco-pretrain.pth'
