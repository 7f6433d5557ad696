# MLRL in the common budget: backbone, text encoder, width and schedule are
# ReferFormer's:
#   bash tools/dist_train.sh configs/mlrl/tiny_shapes.py 2
_base_ = '../referformer/tiny_shapes.py'
base = _base_.model
model = dict(
    _delete_=True,
    type='MLRL',
    data_preprocessor=base.data_preprocessor,
    # shapes are small: Res5 at stride 16 sees them in as many cells as the
    # paper's objects have at stride 32
    backbone=dict(
        base.backbone, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
    backbone_channels=base.backbone_channels,
    text_encoder=dict(base.text_encoder, pooler=False),
    embed_dims=64,
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
        # a focal loss is a mean over all pixels, few of which are an object's
        loss_weights=dict(mask=20., object_mask=20.)),
    category_head=base.category_head,
    channels_last=base.channels_last,
    test_cfg=base.test_cfg)

# Its own loss is dense, so behind the categories every stage trains it whole;
# the object level learns from all objects.
stages = [
    stage if stage.stage == 'category' else dict(
        stage,
        stage='whole',
        pipeline=[
            dict(step, all_objects=True)
            if step.type == 'LoadClipMasks' else step
            for step in stage.pipeline
        ]) for stage in _base_.custom_hooks[0].stages
]
custom_hooks = [
    dict(type='TrainingStagesHook', stages=stages),
    *_base_.custom_hooks[1:],
]
