_base_ = ['./r50_refcoco-pretrain.py', '../_base_/backbones/video-swin-b.py']
model = _base_.video_swin_b
