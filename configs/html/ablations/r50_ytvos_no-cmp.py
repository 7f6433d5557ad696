# Table 5 (v): three scales, no masks across scales. "None" of Table 6c is
# another row: r50_ytvos_1-scale.py.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_no-cmp.py 8
# Paper: J&F 57.1 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(direction='none')
