# SOC, trained from scratch on two CPU cores. Only the method differs from
# ReferFormer's tiny config.
#   bash tools/dist_train.sh configs/soc/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
model = dict(
    type='SOC',
    fusion=dict(type='TwoStreamFusion'),
    # One query, as the decoder has: the contrastive loss is zero. See
    # ablations/tiny_shapes_5queries.py.
    cluster=dict(
        type='VideoObjectCluster',
        encoder_layers=2,
        decoder_layers=2,
        num_heads=4,
        feedforward_channels=256,
        dropout=0.),
    pixel_decoder=dict(
        _delete_=True, type='SpatialDecoder', channels=(64, 32, 16, 16)),
    # Boxes have lower weights than in the official recipe, as in
    # ReferFormer's.
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
                stage='category',
                epochs=30,
                pipeline=_base_.category_pipeline),
            dict(
                stage='words',
                epochs=30,
                pipeline=_base_.appearance_pipeline),
            dict(stage='dense', epochs=20, pipeline=_base_.position_pipeline),
            dict(stage='whole', epochs=13, pipeline=_base_.frame_pipeline),
            dict(stage='whole', epochs=7, pipeline=_base_.clip_pipeline),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
