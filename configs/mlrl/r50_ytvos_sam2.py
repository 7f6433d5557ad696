# Propagated by SAM 2, for testing weights of r50_ytvos.py.
_base_ = './r50_ytvos.py'
model = dict(
    test_cfg=dict(
        propagator=dict(
            type='SAM2Propagator', weights='facebook/sam2.1-hiera-tiny')))
