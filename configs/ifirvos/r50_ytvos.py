# Fine-tuning on Ref-YouTube-VOS from the RefCOCO/+/g pre-training.
_base_ = [
    '../_base_/models/ifirvos_r50.py',
    '../_base_/datasets/ifirvos_youtube_vos.py',
    '../_base_/schedules/ifirvos_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain.pth'
# the classifier starts anew, as ReferFormer's
load_cfg = dict(drop=[r'head\.class_branches\..*'])
