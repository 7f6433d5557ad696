# MLRL, ResNet-50, on Ref-YouTube-VOS without propagation (Tables 1 and 3).
#   bash tools/dist_train.sh configs/mlrl/r50_ytvos.py 4
# Paper: J&F 49.70, J 48.43, F 50.96.
_base_ = [
    './_base_/mlrl_r50.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
