_base_ = ['./r50_davis17.py', '../_base_/backbones/swin-t.py']
model = _base_.swin_t
load_from = 'checkpoints/referformer_swin-t_ytvos.pth'
