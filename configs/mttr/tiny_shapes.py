# MTTR, trained from scratch on two CPU cores. Text encoder, width and schedule
# are those of ReferFormer's tiny config, and the backbone without its last
# stage, as in the official MTTR with Video Swin. The third stage is dilated,
# so that the encoder combines words with pixels at stride 8: at stride 16 an
# object has one cell.
#   bash tools/dist_train.sh configs/mttr/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
base = _base_.model
model = dict(
    _delete_=True,
    type='MTTR',
    data_preprocessor=base.data_preprocessor,
    backbone=dict(
        base.backbone,
        type='DilatedResNet',
        num_stages=3,
        strides=(1, 2, 1),
        dilations=(1, 1, 2),
        out_indices=(0, 1, 2)),
    backbone_channels=base.backbone_channels[:3],
    text_encoder=dict(base.text_encoder, pooler=False),
    embed_dims=base.embed_dims,
    transformer=dict(
        type='MultimodalTransformer',
        num_queries=10,
        num_heads=4,
        feedforward_channels=256,
        dropout=0.),
    pixel_decoder=dict(type='SpatialDecoder', channels=(64, 32, 16)),
    head=dict(type='ReferredInstanceHead'),
    # on the input of the encoder
    category_head=dict(base.category_head, level=2),
    dense_head=base.dense_head,
    channels_last=base.channels_last,
    test_cfg=base.test_cfg)

# MTTR learns from all objects.
load_all = dict(type='LoadClipMasks', all_objects=True)
category, dense, frame, clip = [
    [load_all if step['type'] == 'LoadClipMasks' else step for step in steps]
    for steps in (_base_.category_pipeline, _base_.dense_pipeline,
                  _base_.frame_pipeline, _base_.clip_pipeline)
]
# Only attention relates pixels to words, which takes longer to learn than the
# product of ReferFormer. The dense stage therefore has 35 epochs instead of 5.
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(stage='category', epochs=30, pipeline=category),
            dict(stage='dense', epochs=35, pipeline=dense),
            dict(stage='whole', epochs=28, pipeline=frame),
            dict(stage='whole', epochs=7, pipeline=clip),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
