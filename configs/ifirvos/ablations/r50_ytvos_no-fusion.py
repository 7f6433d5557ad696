# Table 4, baseline to the letter: "without the inter-frame interaction module
# and the vision-language interaction module", so without any early fusion.
# r50_ytvos_baseline.py keeps the fusion of ReferFormer.
#   bash tools/dist_train.sh configs/ifirvos/ablations/r50_ytvos_no-fusion.py 8
# Paper: J&F 55.1 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(
    fusion=dict(_delete_=True, type='NoFusion'),
    decoder=dict(inter_frame=None))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_no-fusion.pth'
