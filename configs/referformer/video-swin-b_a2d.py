_base_ = ['./r50_a2d.py', '../_base_/backbones/video-swin-b.py']
model = _base_.video_swin_b
load_from = 'checkpoints/referformer_video-swin-b_refcoco-pretrain.pth'
