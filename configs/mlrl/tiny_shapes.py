# MLRL, trained from scratch on two CPU cores. Backbone, text encoder, width
# and schedule are those of ReferFormer's tiny config.
#   bash tools/dist_train.sh configs/mlrl/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
base = _base_.model
model = dict(
    _delete_=True,
    type='MLRL',
    data_preprocessor=base.data_preprocessor,
    # At stride 16 an object has one cell of Res5, at stride 8 four.
    backbone=dict(
        base.backbone, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)),
    backbone_channels=base.backbone_channels,
    text_encoder=dict(base.text_encoder, pooler=False),
    embed_dims=base.embed_dims,
    levels=dict(
        video=dict(type='PixelSelfAttention', scope='video'),
        frame=dict(type='PixelSelfAttention', scope='frame'),
        object=dict(type='AttentionObjectEncoder', scope='video')),
    alignment=dict(
        type='SemanticAlignment', num_layers=1, num_heads=4, dropout=0.),
    head=dict(
        type='BoundaryAwareHead',
        channels=32,
        hidden_channels=64,
        # A focal loss is a mean over all pixels, few of which are of an
        # object.
        loss_weights=dict(mask=20., object_mask=20.)),
    # on the map that the levels get
    category_head=dict(base.category_head, level=3, stride=8),
    # on the map that is aligned with the words (ours)
    dense_head=base.dense_head,
    channels_last=base.channels_last,
    # the best of 0.05, 0.1, 0.2, 0.3 and 0.5 on training videos
    test_cfg=dict(postprocessor=dict(type='BestQuery', threshold=0.3)))

# The object level learns from all objects.
load_all = dict(type='LoadClipMasks', all_objects=True)
frame, clip = [
    [load_all if step['type'] == 'LoadClipMasks' else step for step in steps]
    for steps in (_base_.frame_pipeline, _base_.clip_pipeline)
]
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='category',
                epochs=30,
                pipeline=_base_.category_pipeline),
            dict(
                stage='dense',
                epochs=30,
                pipeline=_base_.appearance_pipeline),
            dict(stage='dense', epochs=20, pipeline=_base_.position_pipeline),
            dict(stage='whole', epochs=13, pipeline=frame),
            dict(stage='whole', epochs=7, pipeline=clip),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
