# ReferFormer, Swin-T, fine-tuned on Ref-YouTube-VOS from the pre-training on
# RefCOCO/+/g. The classifier starts anew, as in the official code.
#   bash tools/dist_train.sh configs/referformer/swin-t_ytvos.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/swin-t.py',
    '../_base_/datasets/ref_youtube_vos.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = _base_.swin_t
load_from = 'checkpoints/referformer_swin-t_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
