# Table 4, baseline: ReferFormer with the recipe of IFIRVOS.
#   bash tools/dist_train.sh configs/ifirvos/ablations/r50_ytvos_baseline.py 8
# Paper: J&F 55.1 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(
    fusion=dict(_delete_=True, type='CrossModalFusion'),
    decoder=dict(inter_frame=None))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_baseline.pth'
