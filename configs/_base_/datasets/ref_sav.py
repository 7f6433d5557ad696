# The validation split of Ref-SAV, for testing.
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360),
    dict(type='PackRVOSInputs', keep_masks=True),
]

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='RefSAVDataset',
        data_root='data/ref_sav/',
        ann_file='meta_expressions_valid.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages'),
        test_mode=True,
        pipeline=test_pipeline))

test_evaluator = dict(type='RefSAVMetric')
