_base_ = ['./r50_joint.py', '../_base_/backbones/r101.py']
model = _base_.r101
