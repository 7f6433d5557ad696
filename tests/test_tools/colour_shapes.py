"""A whole training in seconds: a model of three weights on Moving Shapes."""
_base_ = '../../configs/_base_/default_runtime.py'

custom_imports = dict(imports=['tests.colour_segmentor'])
model = dict(type='ColourSegmentor')
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='RefYoutubeVOSDataset',
        ann_file='meta_expressions/train/meta_expressions.json',
        data_root='',
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'),
        meta_file='train/meta.json',
        metainfo=dict(classes=[
            'circle', 'square', 'triangle', 'star', 'ring', 'cross'
        ]),
        entry='video',
        pipeline=[
            dict(type='SampleLocalGlobalFrames', num_frames=2),
            dict(type='LoadFrames'),
            dict(type='PackRVOSInputs')
        ]))
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='RefYoutubeVOSDataset',
        ann_file='meta_expressions/valid/meta_expressions.json',
        data_root='',
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        # 3 videos: two processes do not get the same number of them
        indices=3,
        test_mode=True,
        pipeline=[
            dict(type='SampleAllFrames'),
            dict(type='LoadFrames'),
            dict(type='PackRVOSInputs', keep_masks=True)
        ]))
test_dataloader = val_dataloader
val_evaluator = dict(type='RefYoutubeVOSMetric')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.1))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[1], by_epoch=True),
    dict(type='PolyLR', end=4, convert_to_iter_based=True),
]
custom_hooks = [
    dict(type='PowerCut', after=0),  # a test sets when
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(stage='category', epochs=2),
            dict(stage='dense', epochs=1),
            dict(stage='whole', epochs=1),
        ]),
]
default_hooks = dict(logger=dict(interval=1))
randomness = dict(seed=0)
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=4)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=2, enable=False)
