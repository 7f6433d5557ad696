# ReferFormer with ResNet-50 and the official hyper-parameters: 4 encoder and 4
# decoder layers of width 256, 5 queries.
model = dict(
    type='ReferFormer',
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
    text_encoder=dict(type='HuggingFaceTextEncoder', name='roberta-base'),
    fusion=dict(type='CrossModalFusion'),
    encoder=dict(type='DeformableEncoder'),
    decoder=dict(type='LanguageQueryDecoder'),
    pixel_decoder=dict(type='CrossModalFPN', reductions=(8, 4, 2, 1)),
    head=dict(
        type='ReferringHead',
        loss_weights=dict(cls=2., bbox=5., giou=2., mask=2., dice=5.)),
    # The whole video in one pass: one query sequence per expression.
    test_cfg=dict(postprocessor=dict(type='BestQuery')))
