# IFIRVOS, ResNet-50, fine-tuned on Ref-YouTube-VOS from the pre-training on
# RefCOCO/+/g. The classifier starts anew, as in ReferFormer.
#   bash tools/dist_train.sh configs/ifirvos/r50_ytvos.py 8
# Paper: J&F 59.9 on Ref-YouTube-VOS.
_base_ = [
    './_base_/ifirvos_r50.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
