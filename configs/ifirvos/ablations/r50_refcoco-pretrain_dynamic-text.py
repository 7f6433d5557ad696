# Table 5: vision attends to the updated words. Pre-training of
# r50_ytvos_dynamic-text.py.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_refcoco-pretrain_dynamic-text.py 8
_base_ = '../r50_refcoco-pretrain.py'
model = dict(fusion=dict(text_update='dynamic'))
