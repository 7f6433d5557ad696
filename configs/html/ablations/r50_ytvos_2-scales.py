# Table 6a: two scales.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_2-scales.py 8
# Paper: J&F 56.9 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(num_scales=2)
