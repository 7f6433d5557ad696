# Table 4, propagated by STCN. The sentences of an annotator name different
# objects.
_base_ = './r50_davis17.py'
model = dict(
    test_cfg=dict(propagator=dict(type='STCNPropagator', compete=True)))
