# SOC with ResNet-50: the official hyper-parameters with a backbone that the
# code supports and no published result uses. The leaf configs change it.
model = dict(
    type='SOC',
    # padded to the largest of the batch, no further
    data_preprocessor=dict(
        type='RVOSDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad_size_divisor=1,
        test_pad_size_divisor=1),
    backbone=dict(
        type='mmdet.ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/'
            'resnet50-0676ba61.pth')),
    backbone_channels=(256, 512, 1024, 2048),
    text_encoder=dict(
        type='HuggingFaceTextEncoder',
        name='roberta-base',
        out_channels=256,
        frozen=True),
    fusion=dict(
        type='TwoStreamFusion',
        embed_dims=256,
        num_heads=8,
        language_to_vision=True,
        vision_to_language=True),
    encoder=dict(
        type='DeformableEncoder',
        num_layers=3,
        embed_dims=256,
        num_heads=8,
        num_levels=4,
        num_points=4,
        feedforward_channels=2048,
        dropout=0.1),
    decoder=dict(
        type='LanguageQueryDecoder',
        num_queries=20,
        num_layers=3,
        embed_dims=256,
        num_heads=8,
        num_levels=4,
        num_points=4,
        feedforward_channels=2048,
        dropout=0.1),
    cluster=dict(
        type='VideoObjectCluster',
        num_queries=20,
        encoder_layers=3,
        decoder_layers=3,
        embed_dims=256,
        num_heads=8,
        feedforward_channels=2048,
        dropout=0.1),
    pixel_decoder=dict(
        type='SpatialDecoder',
        in_channels=(256, 256, 256),
        fine_channels=256,
        channels=(128, 64, 32, 16),
        mask_channels=8),
    head=dict(
        type='SOCHead',
        num_classes=1,
        num_layers=3,
        embed_dims=256,
        mask_channels=8,
        dynamic_channels=8,
        relative_coords=True,
        box_refinement=True,
        contrast_scale='dim',  # paper: 'sqrt_dim'
        # paper: mask (its focal) 5, dice 2
        loss_weights=dict(cls=2., bbox=2., giou=2., mask=2., dice=5., con=1.),
        matcher=dict(
            type='FrameMatcher',
            class_weight=2.,
            box_weight=2.,
            giou_weight=2.,
            dice_weight=5.)),
    inference_layer=0,  # the first, as the released code tests its weights
    # the whole video in one pass, one query for all of it
    test_cfg=dict(
        window=None,
        postprocessor=dict(type='BestQuery', threshold=0.5)))
