# Long-RVOS with ReferFormer's pipelines. Videos last about a minute: set a
# window in the test_cfg of the model.
_base_ = './ref_youtube_vos.py'
data_root = 'data/long_rvos/'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='LongRVOSDataset',
        data_root=data_root,
        ann_file='train/meta_expressions.json',
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'),
        num_frames=_base_.num_frames,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='LongRVOSDataset',
        data_root=data_root,
        ann_file='valid/meta_expressions.json',
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='LongRVOSMetric')
test_evaluator = val_evaluator
