# Trains from scratch on two CPU cores; only the method differs from
# ReferFormer's:
#   bash tools/dist_train.sh configs/soc/tiny_shapes.py 2
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    type='SOC',
    fusion=dict(type='TwoStreamFusion'),
    cluster=dict(
        type='VideoObjectCluster',
        num_queries=1,  # as the decoder; the contrastive loss is then zero
        encoder_layers=2,
        decoder_layers=2,
        embed_dims=64,
        num_heads=4,
        feedforward_channels=256,
        dropout=0.),
    pixel_decoder=dict(
        _delete_=True,
        type='SpatialDecoder',
        in_channels=(64, 64, 64),
        fine_channels=24,
        channels=(64, 32, 16, 16),
        mask_channels=8),
    head=dict(
        _delete_=True,
        type='SOCHead',
        num_layers=3,
        embed_dims=64,
        mask_channels=8,
        # boxes count less than officially, as in ReferFormer's
        loss_weights=dict(bbox=1., giou=0.5)),
    inference_layer=-1)
