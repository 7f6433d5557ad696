# HTML, Video-Swin-T, fine-tuned on Ref-YouTube-VOS from ReferFormer's
# pre-training on RefCOCO/+/g: clips of 8 frames at three scales of 8, 4 and 2
# frames.
#   bash tools/dist_train.sh configs/html/video-swin-t_ytvos.py 8
# Paper: J&F 61.2 on Ref-YouTube-VOS.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/video-swin-t.py',
    './_base_/ref_youtube_vos.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    type='HTML')
load_from = 'checkpoints/referformer_video-swin-t_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
