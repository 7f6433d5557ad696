# Table 4: vision-language interaction only. Pre-training of r50_ytvos_vli.py.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_refcoco-pretrain_vli.py 8
_base_ = '../r50_refcoco-pretrain.py'
model = dict(decoder=dict(inter_frame=None))
