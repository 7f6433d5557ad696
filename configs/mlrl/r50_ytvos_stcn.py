# MLRL with masks propagated by STCN: weights of r50_ytvos.py, test only.
#   bash tools/dist_test.sh configs/mlrl/r50_ytvos_stcn.py CHECKPOINT 4
_base_ = './r50_ytvos.py'
model = dict(test_cfg=dict(propagator=dict(type='STCNPropagator')))
