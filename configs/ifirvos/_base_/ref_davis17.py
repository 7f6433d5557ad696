# Ref-DAVIS17 as IFIRVOS tests on it: "a short side of 360 and the maximum long
# side of 640" (section 4.2).
_base_ = '../../_base_/datasets/ref_davis17.py'
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360, longest=640),
    dict(type='PackRVOSInputs', keep_masks=True),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
