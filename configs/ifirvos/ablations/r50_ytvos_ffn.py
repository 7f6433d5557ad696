# Table 5: interaction by attention and a feed-forward network.
#   bash tools/dist_train.sh configs/ifirvos/ablations/r50_ytvos_ffn.py 8
# Paper: J&F 58.7 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(fusion=dict(interaction='ffn'))
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain_ffn.pth'
