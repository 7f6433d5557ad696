# Table 4: inter-frame interaction only. Pre-training of r50_ytvos_ifi.py.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_refcoco-pretrain_ifi.py 8
_base_ = '../r50_refcoco-pretrain.py'
model = dict(fusion=dict(_delete_=True, type='CrossModalFusion'))
