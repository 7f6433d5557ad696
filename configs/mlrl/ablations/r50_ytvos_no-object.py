# Table 3: without the object level.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_no-object.py 4
# Paper: J 46.95, F 49.10.
_base_ = '../r50_ytvos.py'
model = dict(levels=dict(object=None))
