# MLRL with ResNet-50 and the numbers of section 3.4.
model = dict(
    type='MLRL',
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
    # Word embeddings only: a RoBERTa without layers.
    text_encoder=dict(
        type='HuggingFaceTextEncoder',
        config=dict(
            hidden_size=384,
            num_hidden_layers=0,
            num_attention_heads=8,
            max_position_embeddings=514),
        tokenizer='roberta-base',
        max_length=20,  # N in the paper
        frozen=False,
        pooler=False),
    levels=dict(
        video=dict(type='PixelSelfAttention', scope='video'),
        frame=dict(type='PixelSelfAttention', scope='frame'),
        object=dict(type='AttentionObjectEncoder', scope='video')),
    alignment=dict(type='SemanticAlignment'),
    head=dict(
        type='BoundaryAwareHead',
        loss_weights=dict(
            object_mask=1.,
            object_dice=1.,
            mask=1.,
            dice=1.,
            boundary=0.2,
            confidence=0.1)),
    # Windows of as many frames as a training clip. Each pair has maps of
    # stride 2, so only the frames of two expressions are decoded together.
    test_cfg=dict(
        window=12,
        chunks=dict(pairs=24),
        postprocessor=dict(type='BestQuery')))
