# Trains from scratch on two CPU cores:
#   bash tools/dist_train.sh configs/referformer/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='category',
                epochs={{_base_.category_epochs}},
                pipeline={{_base_.category_pipeline}}),
            dict(
                stage='dense',
                epochs={{_base_.dense_epochs}},
                pipeline={{_base_.dense_pipeline}}),
            dict(
                stage='whole',
                epochs={{_base_.frame_epochs}},
                pipeline={{_base_.frame_pipeline}}),
            dict(
                stage='whole',
                epochs={{_base_.clip_epochs}},
                pipeline={{_base_.clip_pipeline}}),
        ]),
    dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=4e-3,
        update_buffers=True),
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages stop half-way
randomness = dict(seed=0)
