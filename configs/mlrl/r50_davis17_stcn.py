# MLRL with masks propagated by STCN (Table 4): weights of r50_davis17.py, test
# only. The expressions of an annotator refer to different objects.
#   bash tools/dist_test.sh configs/mlrl/r50_davis17_stcn.py CHECKPOINT 4
# Paper: J&F 57.94.
_base_ = './r50_davis17.py'
model = dict(
    test_cfg=dict(propagator=dict(type='STCNPropagator', compete=True)))
