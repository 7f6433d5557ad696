# HTML, trained from scratch on two CPU cores with the budget of ReferFormer:
# as many videos and steps, but four frames per clip instead of two in the last
# stage, which make scales of four, two and one.
#   bash tools/dist_train.sh configs/html/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
model = dict(type='HTML')

clip_pipeline = [
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
            dict(
                stage='words',
                epochs=30,
                pipeline=_base_.appearance_pipeline),
            dict(stage='dense', epochs=20, pipeline=_base_.position_pipeline),
            dict(stage='whole', epochs=13, pipeline=_base_.frame_pipeline),
            dict(stage='whole', epochs=7, pipeline=clip_pipeline),
        ]),
    _base_.ema,
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)
