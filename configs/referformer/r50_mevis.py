# ReferFormer, ResNet-50, on MeViS, whose sentences are about motion. The
# official code has no such recipe: this is that of Ref-YouTube-VOS.
#   bash tools/dist_train.sh configs/referformer/r50_mevis.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/mevis.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/referformer_r50_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
