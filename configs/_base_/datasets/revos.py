# ReVOS with ReferFormer's pipelines. Expressions need reasoning, and some have
# no target.
_base_ = './ref_youtube_vos.py'
data_root = 'data/ReVOS/'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ReVOSDataset',
        data_root=data_root,
        ann_file='meta_expressions_train_.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages'),
        filter_cfg=dict(with_target=True),
        num_frames=_base_.num_frames,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
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
