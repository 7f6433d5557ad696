# SOC on the start of referformer/ablations/tiny_shapes_motion_4frames.py. Its
# fusion is another one, so a stage on words comes first.
#   python tools/train.py configs/soc/ablations/tiny_shapes_motion_4frames.py
_base_ = '../../referformer/_base_/tiny_shapes_motion_4frames.py'
load_cfg = dict(drop=[
    r'^(fusion|pixel_decoder|cluster)\.',
    r'^head\.(?!box_branches)',
])
model = dict(
    type='SOC',
    fusion=dict(type='TwoStreamFusion'),
    cluster=dict(
        type='VideoObjectCluster',
        encoder_layers=2,
        decoder_layers=2,
        num_heads=4,
        feedforward_channels=256,
        dropout=0.),
    pixel_decoder=dict(
        _delete_=True, type='SpatialDecoder', channels=(64, 32, 16, 16)),
    head=dict(
        _delete_=True,
        type='SOCHead',
        loss_weights=dict(bbox=1., giou=0.5)),
    inference_layer=-1)
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='words',
                epochs=4,
                pipeline=_base_.words_pipeline,
                frozen=['backbone']),
            dict(stage='whole', epochs=5, pipeline=_base_.whole_pipeline),
        ]),
    _base_.ema,
]
train_cfg = dict(max_epochs=9, val_interval=1)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=30),
    dict(
        type='PolyLR',
        power=1.,
        eta_min=1e-5,
        begin=0,
        end=9,
        by_epoch=True,
        convert_to_iter_based=True),
]
