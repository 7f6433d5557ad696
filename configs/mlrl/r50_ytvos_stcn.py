# Propagated by STCN, for testing weights of r50_ytvos.py.
_base_ = './r50_ytvos.py'
model = dict(test_cfg=dict(propagator=dict(type='STCNPropagator')))
