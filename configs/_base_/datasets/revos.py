# Sentences that need reasoning, and some without a target.
_base_ = './video_pipelines.py'
data_root = 'data/ReVOS/'

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='ReVOSDataset',
        data_root=data_root,
        ann_file='meta_expressions_train_.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages'),
        filter_cfg=dict(with_target=True),
        num_frames=_base_.num_frames,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='ReVOSDataset',
        data_root=data_root,
        ann_file='meta_expressions_valid_.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages'),
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='ReVOSMetric')
test_evaluator = val_evaluator
