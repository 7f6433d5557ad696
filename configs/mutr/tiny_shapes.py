# MUTR, trained from scratch on two CPU cores with the budget of ReferFormer,
# but without a stage on words.
#   bash tools/dist_train.sh configs/mutr/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
model = dict(
    type='MUTR',
    text_encoder=dict(pooler=False),
    fusion=dict(type='TemporalAggregation', feedforward_channels=256),
    cluster=dict(
        type='TemporalInteraction',
        shift_in_training=True,
        encoder_layers=2,
        decoder_layers=2,
        num_heads=4,
        feedforward_channels=256,
        dropout=0.),
    head=dict(type='MUTRHead'),
    word_head=None,
    inference_layer=-1)
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
            dict(stage='whole', epochs=7, pipeline=_base_.clip_pipeline),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
