# MLRL with masks propagated by SAM 2: weights of r50_ytvos.py, test only.
#   bash tools/dist_test.sh configs/mlrl/r50_ytvos_sam2.py CHECKPOINT 4
_base_ = './r50_ytvos.py'
model = dict(test_cfg=dict(propagator=dict(type='SAM2Propagator')))
