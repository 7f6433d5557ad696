# MLRL, ResNet-50, pre-trained on the still images of RefCOCO (Table 1, row
# "Pretrained RefCOCO"). r50_davis17_refcoco.py fine-tunes these weights.
#   bash tools/dist_train.sh configs/mlrl/r50_refcoco-pretrain.py 4
_base_ = [
    './_base_/mlrl_r50.py',
    './_base_/refcoco.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
