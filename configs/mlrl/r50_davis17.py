# MLRL, ResNet-50, fine-tuned on Ref-DAVIS17 without propagation (Table 4).
#   bash tools/dist_train.sh configs/mlrl/r50_davis17.py 4
# Paper: J&F 53.25.
_base_ = [
    './_base_/mlrl_r50.py',
    './_base_/ref_davis17.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = dict(test_cfg=dict(postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/mlrl_r50_ytvos.pth'
