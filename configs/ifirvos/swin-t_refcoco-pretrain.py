_base_ = ['./r50_refcoco-pretrain.py', '../_base_/backbones/swin-t.py']
model = _base_.swin_t
