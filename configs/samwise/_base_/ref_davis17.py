# Ref-DAVIS17 for testing SAMWISE.
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=1020, longest=1024, exact=True),
    dict(type='PackRVOSInputs', keep_masks=True),
]

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='RefDAVIS17Dataset',
        data_root='data/ref-davis/',
        ann_file='meta_expressions/valid/meta_expressions.json',
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        lower_case=False,  # as the official inference
        test_mode=True,
        pipeline=test_pipeline))

test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='RefDAVISMetric', protocol='unsupervised')
