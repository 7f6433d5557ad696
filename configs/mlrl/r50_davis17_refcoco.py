# MLRL, ResNet-50, fine-tuned on Ref-DAVIS17 from RefCOCO instead of
# Ref-YouTube-VOS. Table 1 reports masks that STCN propagates: test the weights
# with r50_davis17_stcn.py.
#   bash tools/dist_train.sh configs/mlrl/r50_davis17_refcoco.py 4
# Paper: J&F 48.2 on Ref-DAVIS17.
_base_ = './r50_davis17.py'
load_from = 'checkpoints/mlrl_r50_refcoco-pretrain.pth'
