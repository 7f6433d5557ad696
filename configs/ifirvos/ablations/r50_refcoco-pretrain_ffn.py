# Table 5: interaction by attention and a feed-forward network. Pre-training of
# r50_ytvos_ffn.py.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_refcoco-pretrain_ffn.py 8
_base_ = '../r50_refcoco-pretrain.py'
model = dict(fusion=dict(interaction='ffn'))
