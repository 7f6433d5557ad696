# Table 4, baseline: ReferFormer with the recipe of IFIRVOS. Pre-training of
# r50_ytvos_baseline.py.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_refcoco-pretrain_baseline.py 8
_base_ = '../r50_refcoco-pretrain.py'
model = dict(
    fusion=dict(_delete_=True, type='CrossModalFusion'),
    decoder=dict(inter_frame=None))
