_base_ = ['./r50_ytvos.py', '../_base_/backbones/video-swin-t.py']
model = _base_.video_swin_t
load_from = 'checkpoints/referformer_video-swin-t_refcoco-pretrain.pth'
