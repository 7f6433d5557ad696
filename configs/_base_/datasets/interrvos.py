# InterRVOS for testing: the masks of the objects that act. For those that are
# acted upon use role='target' and InterRVOSTargetMetric.
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
        type='InterRVOSDataset',
        data_root='data/interrvos/',
        ann_file='new_meta_expressions.json',
        mask_file='new_mask_dict.json',
        data_prefix=dict(img='JPEGImages'),
        test_mode=True,
        pipeline=test_pipeline))

test_evaluator = dict(type='InterRVOSMetric')
