_base_ = ['./r50_ytvos.py', '../_base_/backbones/swin-l.py']
model = _base_.swin_l
