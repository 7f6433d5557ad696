# Table 4: vision-language interaction only.
#   bash tools/dist_train.sh configs/ifirvos/ablations/r50_ytvos_vli.py 8
# Paper: J&F 57.1 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(decoder=dict(inter_frame=None))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_vli.pth'
