# Table 4: inter-frame interaction only.
#   bash tools/dist_train.sh configs/ifirvos/ablations/r50_ytvos_ifi.py 8
# Paper: J&F 58.8 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(fusion=dict(_delete_=True, type='CrossModalFusion'))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_ifi.pth'
