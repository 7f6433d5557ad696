# Table 3: convolutions as the object encoder.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_object-fcn.py 4
# Paper: J 47.24, F 49.65.
_base_ = '../r50_ytvos.py'
model = dict(
    levels=dict(object=dict(_delete_=True, type='ConvObjectEncoder')))
