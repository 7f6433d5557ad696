# IFIRVOS, Video-Swin-T, fine-tuned on Ref-YouTube-VOS from the pre-training on
# RefCOCO/+/g. The classifier starts anew, as in ReferFormer. The paper has no
# result with this backbone.
#   bash tools/dist_train.sh configs/ifirvos/video-swin-t_ytvos.py 8
_base_ = [
    './_base_/ifirvos_r50.py',
    '../_base_/backbones/video-swin-t.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = _base_.video_swin_t
load_from = 'checkpoints/ifirvos_video-swin-t_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
