# Tables 5 (v) and 6c: no masks across scales.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_no-cmp.py 8
# Paper: J&F 57.1 (Table 5) and 56.2 (Table 6c) on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(direction='none')
