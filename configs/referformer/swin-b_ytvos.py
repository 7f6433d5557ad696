_base_ = ['./r50_ytvos.py', '../_base_/backbones/swin-b.py']
model = _base_.swin_b
load_from = 'checkpoints/referformer_swin-b_refcoco-pretrain.pth'
