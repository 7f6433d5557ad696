_base_ = ['./r50_refcoco-pretrain.py', '../_base_/backbones/r101.py']
model = _base_.r101
