# MUTR with ResNet-50 and the official hyper-parameters.
model = dict(
    type='MUTR',
    data_preprocessor=dict(type='RVOSDataPreprocessor'),
    backbone=dict(
        type='mmdet.ResNet',
        depth=50,
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/'
            'resnet50-0676ba61.pth')),
    backbone_channels=(256, 512, 1024, 2048),
    # The text model is trained. The sentence is made by the fusion.
    text_encoder=dict(
        type='HuggingFaceTextEncoder',
        name='roberta-base',
        frozen=False,
        pooler=False),
    fusion=dict(type='TemporalAggregation'),
    encoder=dict(type='DeformableEncoder'),
    decoder=dict(type='LanguageQueryDecoder'),
    cluster=dict(type='TemporalInteraction'),
    pixel_decoder=dict(type='CrossModalFPN', reductions=(8, 4, 2, 1)),
    head=dict(
        type='MUTRHead',
        loss_weights=dict(cls=2., bbox=5., giou=2., mask=2., dice=5.)),
    # The whole video in one pass: one query sequence per expression.
    test_cfg=dict(postprocessor=dict(type='BestQuery')))
