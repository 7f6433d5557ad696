# MLRL with masks propagated by STCN (Table 4): weights of r50_davis17.py, test
# only. The expressions of an annotator refer to different objects. Weights of
# r50_ytvos.py tested with this file are "pretraining only" of Table 1.
#   bash tools/dist_test.sh configs/mlrl/r50_davis17_stcn.py CHECKPOINT 4
# Paper: J&F 57.94.
_base_ = './r50_davis17.py'
model = dict(
    test_cfg=dict(propagator=dict(type='STCNPropagator', compete=True)))
