# Trains from scratch on two CPU cores:
#   bash tools/dist_train.sh configs/referformer/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
custom_hooks = [
    dict(type='DenseWarmupHook', epochs={{_base_.warmup_epochs}}),
    dict(
        type='mmdet.PipelineSwitchHook',
        switch_epoch={{_base_.warmup_epochs}},
        switch_pipeline={{_base_.train_pipeline}}),
    dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=2e-3,
        update_buffers=True),
]
find_unused_parameters = True  # the warm-up stops half-way
randomness = dict(seed=0)
