# Table 3: attention within each frame in the object encoder.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_object-frame.py 4
# Paper: J 47.56, F 50.04.
_base_ = '../r50_ytvos.py'
model = dict(levels=dict(object=dict(scope='frame')))
