# MTTR in the common budget: backbone, text encoder, width and schedule are
# ReferFormer's. As in the official MTTR on ResNet, the last stage is dilated.
_base_ = '../referformer/tiny_shapes.py'
channels = _base_.model.backbone_channels
model = dict(
    _delete_=True,
    type='MTTR',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(
        _base_.model.backbone,
        type='DilatedResNet',
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2)),
    backbone_channels=channels,
    text_encoder=dict(_base_.model.text_encoder, pooler=False),
    embed_dims=64,
    transformer=dict(
        type='MultimodalTransformer',
        num_queries=10,
        encoder_layers=3,
        decoder_layers=3,
        embed_dims=64,
        num_heads=4,
        feedforward_channels=256,
        dropout=0.),
    pixel_decoder=dict(
        type='SpatialDecoder',
        in_channels=(64, channels[2], channels[1]),
        fine_channels=channels[0],
        channels=(64, 48, 32, 16),
        mask_channels=8),
    head=dict(type='ReferredInstanceHead', embed_dims=64, mask_channels=8),
    # both on what its encoder sees, the last map at stride 16
    category_head=dict(
        _base_.model.category_head,
        in_channels=channels[3],
        level=3,
        stride=16),
    dense_head=dict(_base_.model.dense_head, stride=16),
    channels_last=_base_.model.channels_last,
    test_cfg=_base_.model.test_cfg)


def changed(pipeline, **steps):
    """The pipeline with other options in some of its steps."""
    return [dict(step, **steps.get(step['type'], {})) for step in pipeline]


# Nothing but attention makes a pixel look at words, and that takes longer to
# learn than ReferFormer's product with them. So more of the same budget goes
# to the dense stage, where a pair costs little (60 pixels at stride 16): each
# frame has eight sentences in it.
dense_epochs = 35
category, dense, frames, clips = [
    dict(
        stage,
        pipeline=changed(
            stage.pipeline, LoadClipMasks=dict(all_objects=True)))
    for stage in _base_.custom_hooks[0].stages
]
frames['epochs'] -= dense_epochs - dense['epochs']
dense.update(
    epochs=dense_epochs,
    pipeline=changed(dense['pipeline'], SampleExpressions=dict(num=8)))
custom_hooks = [
    dict(
        type='TrainingStagesHook', stages=[category, dense, frames, clips]),
    *_base_.custom_hooks[1:],
]
