# SOC with Video-Swin-T and the official hyper-parameters.
model = dict(
    type='SOC',
    # padded to the largest clip of the batch
    data_preprocessor=dict(type='RVOSDataPreprocessor', pad_size_divisor=1),
    backbone=dict(
        type='VideoSwinTransformer',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_tiny_patch244_window877_kinetics400_1k.pth')),
    backbone_channels=(96, 192, 384, 768),
    text_encoder=dict(type='HuggingFaceTextEncoder', name='roberta-base'),
    fusion=dict(type='TwoStreamFusion'),
    encoder=dict(type='DeformableEncoder', num_layers=3),
    decoder=dict(type='LanguageQueryDecoder', num_queries=20, num_layers=3),
    cluster=dict(type='VideoObjectCluster'),
    pixel_decoder=dict(type='SpatialDecoder'),
    # The paper states mask (focal) weight 5 and dice weight 2.
    head=dict(
        type='SOCHead',
        loss_weights=dict(cls=2., bbox=2., giou=2., mask=2., dice=5.,
                          con=1.)),
    # The whole video in one pass: one query sequence per expression.
    test_cfg=dict(postprocessor=dict(type='BestQuery')))
