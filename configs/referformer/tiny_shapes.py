# ReferFormer, trained from scratch on two CPU cores.
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
                epochs=30,
                pipeline=_base_.category_pipeline),
            dict(
                stage='words',
                epochs=30,
                pipeline=_base_.appearance_pipeline),
            dict(stage='dense', epochs=20, pipeline=_base_.position_pipeline),
            dict(stage='whole', epochs=13, pipeline=_base_.frame_pipeline),
            dict(stage='whole', epochs=7, pipeline=_base_.clip_pipeline),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
