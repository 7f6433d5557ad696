# A ReferFormer small enough for a CPU, trained from scratch. The tiny configs
# of all methods share its backbone, text encoder and width.
# mmrvos.moving_shapes.VOCABULARY
vocabulary = (
    'a above after ahead and anticlockwise appearing appears at back '
    'becomes before behind below big bigger blue bottom bottommost bounces '
    'bouncing by centre circle clockwise comes coming cross cyan directly '
    'disappearing disappears disc does dots dotted down downwards early end '
    'faster first followed following follows forth frame front furthest '
    'gets getting goes going green growing grows half hidden hiding highest '
    'hoop in is just large larger last late leading leads leaves leaving '
    'left leftmost leftwards line little lower lowest medium middle move '
    'moves moving never not object of on one orange part partly pink place '
    'plain purple red right rightmost rightwards ring round scene shape '
    'shrinking shrinks side sideways slower small smaller square star start '
    'stay staying stays still stop stopping stops straight striped stripes '
    'that the then there to top topmost travelling travels triangle up '
    'upper upwards vertically video waiting waits way which with yellow '
    'zigzag zigzagging zigzags')
model = dict(
    type='ReferFormer',
    data_preprocessor=dict(
        type='RVOSDataPreprocessor', test_pad_size_divisor=32),
    backbone=dict(
        type='mmdet.ResNet',
        depth=18,
        base_channels=24,
        norm_eval=False,
        zero_init_residual=False),
    backbone_channels=(24, 48, 96, 192),
    text_encoder=dict(
        type='HuggingFaceTextEncoder',
        config=dict(
            hidden_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=192,
            max_position_embeddings=66,
            hidden_dropout_prob=0.,
            attention_probs_dropout_prob=0.),
        vocabulary=vocabulary,
        out_channels=64,
        frozen=False,
        dropout=0.),
    embed_dims=64,
    fusion=dict(type='CrossModalFusion', num_heads=4),
    encoder=dict(
        type='DeformableEncoder',
        num_layers=2,
        num_heads=4,
        num_points=2,
        feedforward_channels=256,
        dropout=0.),
    decoder=dict(
        type='LanguageQueryDecoder',
        # Trained from scratch, several queries may specialise on positions,
        # whatever the expression is.
        num_queries=1,
        num_layers=3,
        num_heads=4,
        num_points=2,
        feedforward_channels=256,
        dropout=0.),
    pixel_decoder=dict(
        type='CrossModalFPN',
        mask_channels=16,
        num_heads=4,
        feedforward_channels=128,
        dropout=0.,
        reductions=(8, 4, 2, 1)),
    head=dict(
        type='ReferringHead',
        mask_target='average',
        # A mask loss is one value per clip, divided by its frames. Boxes have
        # lower weights than in the official recipe (5 and 2).
        loss_weights=dict(cls=2., bbox=1., giou=0.5, mask=2., dice=5.)),
    category_head=dict(type='CategoryHead', num_classes=6),
    word_head=dict(
        type='DenseMaskHead',
        hidden_channels=64,
        mask_weight=5.,
        dice_weight=5.),
    dense_head=dict(type='DenseMaskHead', mask_weight=5., dice_weight=5.),
    channels_last=True,
    test_cfg=dict(
        # The focal loss gives background three times the weight of the object,
        # so that small objects lose their border at 0.5. The best of 0.5, 0.2,
        # 0.1 and 0.05 on training videos.
        postprocessor=dict(type='BestQuery', threshold=0.05)))
