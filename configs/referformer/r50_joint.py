# ReferFormer, ResNet-50, trained from the start on Ref-YouTube-VOS and
# RefCOCO/+/g. The published weights are of 32 GPUs; the official script has 8
# x 1.
#   bash tools/dist_train.sh configs/referformer/r50_joint.py 8
# Paper: J&F 58.7 on Ref-YouTube-VOS.
_base_ = [
    '../_base_/models/referformer_r50.py',
    './_base_/refcoco_ref_youtube_vos.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
