_base_ = ['./r50_davis17.py', '../_base_/backbones/swin-l.py']
model = _base_.swin_l
load_from = 'checkpoints/referformer_swin-l_ytvos.pth'
