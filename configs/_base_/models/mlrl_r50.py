# MLRL with ResNet-50, the numbers of its section 3.4.
model = dict(
    type='MLRL',
    data_preprocessor=dict(
        type='RVOSDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad_size_divisor=32,
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
    # words are embedded and nothing more: a RoBERTa without layers
    text_encoder=dict(
        type='HuggingFaceTextEncoder',
        config=dict(
            hidden_size=384,
            num_hidden_layers=0,
            num_attention_heads=8,
            max_position_embeddings=514),
        tokenizer='roberta-base',
        out_channels=384,
        max_length=20,  # N in the paper
        frozen=False,
        pooler=False),
    embed_dims=384,
    levels=dict(
        video=dict(type='PixelSelfAttention', scope='video'),
        frame=dict(type='PixelSelfAttention', scope='frame'),
        object=dict(type='AttentionObjectEncoder', scope='video')),
    alignment=dict(
        type='SemanticAlignment',
        num_layers=2,
        num_heads=8,
        feedforward_channels=1536,
        dropout=0.1,
        dynamic=True),
    head=dict(
        type='BoundaryAwareHead',
        channels=256,
        num_groups=8,
        hidden_channels=256,
        loss_weights=dict(
            object_mask=1.,
            object_dice=1.,
            mask=1.,
            dice=1.,
            boundary=0.2,
            confidence=0.1)),
    # As many frames per window as in training. Each pair has maps of stride 2,
    # so only the frames of two expressions are decoded together.
    test_cfg=dict(
        window=12,
        chunks=dict(pairs=24),
        postprocessor=dict(type='BestQuery', threshold=0.5)))
