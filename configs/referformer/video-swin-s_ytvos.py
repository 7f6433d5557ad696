_base_ = ['./r50_ytvos.py', '../_base_/backbones/video-swin-s.py']
model = _base_.video_swin_s
load_from = 'checkpoints/referformer_video-swin-s_refcoco-pretrain.pth'
