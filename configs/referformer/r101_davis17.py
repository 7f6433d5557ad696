_base_ = ['./r50_davis17.py', '../_base_/backbones/r101.py']
model = _base_.r101
load_from = 'checkpoints/referformer_r101_ytvos.pth'
