_base_ = ['./r50_a2d.py', '../_base_/backbones/swin-t.py']
model = _base_.swin_t
load_from = 'checkpoints/ifirvos_swin-t_refcoco-pretrain.pth'
