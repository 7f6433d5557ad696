_base_ = ['./video-swin-t_davis17.py', '../_base_/backbones/video-swin-b.py']
model = _base_.video_swin_b
