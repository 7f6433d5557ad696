# MTTR with Video-Swin-T and the official hyper-parameters.
model = dict(
    type='MTTR',
    # padded to the largest clip of the batch
    data_preprocessor=dict(type='RVOSDataPreprocessor', pad_size_divisor=1),
    backbone=dict(
        type='VideoSwinTransformer',
        drop_path_rate=0.1,
        out_indices=(0, 1, 2),  # no fourth stage: the last stride is 16
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_tiny_patch244_window877_kinetics400_1k.pth')),
    backbone_channels=(96, 192, 384),
    text_encoder=dict(
        type='HuggingFaceTextEncoder', name='roberta-base', pooler=False),
    transformer=dict(type='MultimodalTransformer'),
    pixel_decoder=dict(type='SpatialDecoder'),
    head=dict(
        type='ReferredInstanceHead',
        loss_weights=dict(referred=2., mask=2., dice=5.)),
    # The whole video in one pass: one query sequence per expression.
    test_cfg=dict(postprocessor=dict(type='BestQuery', through_input=True)))
