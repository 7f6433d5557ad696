# MeViS v1 with ReferFormer's pipelines. v2 has the same form:
# data_root = 'data/mevis_v2/'.
_base_ = './ref_youtube_vos.py'
data_root = 'data/mevis/'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MeViSDataset',
        data_root=data_root,
        ann_file='train/meta_expressions.json',
        mask_file='train/mask_dict.json',
        data_prefix=dict(img='train/JPEGImages'),
        num_frames=_base_.num_frames,
        pipeline=_base_.train_pipeline))
# valid_u is the split with public masks
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MeViSDataset',
        data_root=data_root,
        ann_file='valid_u/meta_expressions.json',
        mask_file='valid_u/mask_dict.json',
        data_prefix=dict(img='valid_u/JPEGImages'),
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='MeViSMetric')
test_evaluator = val_evaluator
