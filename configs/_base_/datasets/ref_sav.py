# The validation form of Ref-SAV; for testing.
_base_ = './video_pipelines.py'

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='RefSAVDataset',
        data_root='data/ref_sav/',
        ann_file='meta_expressions_valid.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages'),
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_evaluator = dict(type='RefSAVMetric')
