# MLRL with masks propagated by SAM 2 instead of STCN: weights of
# r50_davis17.py, test only.
#   bash tools/dist_test.sh configs/mlrl/r50_davis17_sam2.py CHECKPOINT 4
_base_ = './r50_davis17.py'
model = dict(
    test_cfg=dict(propagator=dict(type='SAM2Propagator', compete=True)))
