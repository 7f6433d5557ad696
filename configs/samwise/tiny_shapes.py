# SAMWISE, trained from scratch on two CPU cores: a small Hiera in place of
# the pretrained SAM 2, of which nothing is frozen. Text encoder, width and
# schedule are those of ReferFormer's tiny config.
#   bash tools/dist_train.sh configs/samwise/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
base = _base_.model
words = base.text_encoder
model = dict(
    _delete_=True,
    type='SAMWISE',
    data_preprocessor=base.data_preprocessor,
    sam2=dict(
        type='SAM2Network',
        arch=dict(
            embed_dim_per_stage=[24, 48, 96, 192],
            num_attention_heads_per_stage=[1, 2, 4, 8],
            blocks_per_stage=[1, 2, 2, 1],
            window_size_per_stage=[8, 4, 10, 5],
            global_attention_blocks=[4]),
        image_size=160,
        frozen=False,
        # no loss trains the object scores of SAM 2
        object_scores=False,
        config=dict(
            memory_attention_num_layers=1,
            memory_attention_feed_forward_hidden_size=128,
            memory_attention_dropout=0.,
            memory_attention_rope_dropout=0.,
            memory_fuser_num_layers=1,
            memory_fuser_intermediate_dim=128,
            # the default of 1e-6 is for weights that are loaded
            memory_fuser_layer_scale_init_value=0.1,
            mask_decoder_config=dict(mlp_dim=128, num_attention_heads=4))),
    text_encoder=dict(
        type='StagedTextEncoder',
        config=dict(words.config, num_hidden_layers=3),
        vocabulary=words.vocabulary,
        frozen=False),
    text_layers=(1, 1, 1),
    embed_dims=base.embed_dims,
    adapter=dict(
        type='CrossModalAdapter', embed_dims=64, num_heads=4, dropout=0.),
    patch_sizes=(4, 2, 1),
    memory_decision=dict(
        type='ConditionalMemoryEncoder',
        window=2,
        num_heads=4,
        feedforward_channels=64,
        dropout=0.),
    head=dict(
        type='SAMWISEHead',
        # The focal loss is a mean over all pixels, few of which are of an
        # object.
        loss_weights=dict(mask=20., dice=5.)),
    category_head=dict(base.category_head, level=2, stride=16),
    dense_head=dict(base.dense_head, stride=16),
    channels_last=base.channels_last,
    test_cfg=dict(base.test_cfg, window=8))

# The rate of the other tiny configs, 2e-3, is too high for a Hiera from random
# weights: the loss of its first stage stays above chance.
optim_wrapper = dict(optimizer=dict(lr=5e-4))

# The memory needs clips: four frames, of which the last is decided.
clip = [
    dict(type='SampleSpreadFrames', num_frames=4),
    *_base_.clip_pipeline[1:],
]
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='category',
                epochs=30,
                pipeline=_base_.category_pipeline),
            dict(stage='dense', epochs=5, pipeline=_base_.dense_pipeline),
            dict(stage='whole', epochs=58, pipeline=_base_.frame_pipeline),
            dict(stage='whole', epochs=7, pipeline=clip),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
