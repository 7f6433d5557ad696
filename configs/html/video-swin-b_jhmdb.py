_base_ = ['./video-swin-t_jhmdb.py', '../_base_/backbones/video-swin-b.py']
model = _base_.video_swin_b
