# Table 5: vision attends to the updated words.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_ytvos_dynamic-text.py 8
# Paper: J&F 58.0 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(fusion=dict(text_update='dynamic'))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_dynamic-text.pth'
