# IFIRVOS with ResNet-50: ReferFormer with another fusion and a layer of
# attention across frames behind each decoder layer.
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
    fusion=dict(type='VisionLanguageInteraction'),
    encoder=dict(type='DeformableEncoder'),
    decoder=dict(
        type='LanguageQueryDecoder',
        inter_frame=dict(type='InterFrameLayer')),
    pixel_decoder=dict(type='CrossModalFPN', reductions=(8, 4, 2, 1)),
    # Section 4.2: mask and dice weight 1; ReferFormer has 2 and 5.
    head=dict(
        type='ReferringHead',
        loss_weights=dict(cls=2., bbox=5., giou=2., mask=1., dice=1.),
        matcher=dict(
            type='SequenceMatcher', mask_weight=1., dice_weight=1.)),
    test_cfg=dict(postprocessor=dict(type='BestQuery')))
