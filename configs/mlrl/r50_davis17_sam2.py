# Table 4, with SAM 2 in the place of STCN.
_base_ = './r50_davis17.py'
model = dict(
    test_cfg=dict(
        propagator=dict(
            type='SAM2Propagator',
            weights='facebook/sam2.1-hiera-tiny',
            compete=True)))
