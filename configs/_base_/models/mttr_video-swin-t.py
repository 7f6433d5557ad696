# MTTR with Video-Swin-T, the official hyper-parameters.
model = dict(
    type='MTTR',
    # padded to the largest of the batch, no further
    data_preprocessor=dict(
        type='RVOSDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad_size_divisor=1,
        test_pad_size_divisor=1),
    backbone=dict(
        type='VideoSwinTransformer',
        embed_dims=96,
        depths=[2, 2, 6, 2],
        num_heads=[3, 6, 12, 24],
        window_size=(8, 7, 7),
        drop_path_rate=0.1,
        out_indices=(0, 1, 2),  # there is no fourth stage
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_tiny_patch244_window877_kinetics400_1k.pth')),
    backbone_channels=(96, 192, 384),
    text_encoder=dict(
        type='HuggingFaceTextEncoder',
        name='roberta-base',
        out_channels=256,
        pooler=False,
        frozen=True),
    transformer=dict(
        type='MultimodalTransformer',
        num_queries=50,
        encoder_layers=3,
        decoder_layers=3,
        embed_dims=256,
        num_heads=8,
        feedforward_channels=2048,
        dropout=0.1),
    pixel_decoder=dict(
        type='SpatialDecoder',
        in_channels=(256, 192),
        fine_channels=96,
        channels=(128, 64, 32),
        mask_channels=8),
    head=dict(
        type='ReferredInstanceHead',
        embed_dims=256,
        mask_channels=8,
        unreferred_weight=0.1,
        loss_weights=dict(referred=2., mask=2., dice=5.),
        matcher=dict(
            type='InstanceMatcher', referred_weight=2., dice_weight=5.)),
    # the whole video in one pass, one query for all of it
    test_cfg=dict(
        window=None,
        postprocessor=dict(
            type='BestQuery', threshold=0.5, through_input=True)))
