# Tables 5 (iv), 6a (1 scale) and 6c (None), which have the same J, F and J&F:
# one scale, ReferFormer with clips of 8 frames.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_1-scale.py 8
# Paper: J&F 56.2 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(num_scales=1)
