# The test split of YoURVOS. Videos are untrimmed: set a window in the test_cfg
# of the model.
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
        type='YoURVOSDataset',
        data_root='data/yourvos/',
        ann_file='test/meta_expressions.json',
        spans_file='test/spans.txt',
        data_prefix=dict(img='test/JPEGImages', mask='test/Annotations'),
        test_mode=True,
        pipeline=test_pipeline))

test_evaluator = dict(type='YoURVOSMetric')
