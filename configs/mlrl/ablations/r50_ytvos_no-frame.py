# Table 3: without the frame level.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_no-frame.py 4
# Paper: J 47.09, F 49.58.
_base_ = '../r50_ytvos.py'
model = dict(levels=dict(frame=None))
