_base_ = ['./r50_refcoco-pretrain.py', '../_base_/backbones/video-swin-t.py']
model = _base_.video_swin_t
