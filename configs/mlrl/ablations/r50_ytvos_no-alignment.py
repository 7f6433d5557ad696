# Table 3: no alignment: each pixel gets the mean of the words.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_no-alignment.py 4
# Paper: J 36.23, F 40.40.
_base_ = '../r50_ytvos.py'
model = dict(alignment=dict(dynamic=False))
