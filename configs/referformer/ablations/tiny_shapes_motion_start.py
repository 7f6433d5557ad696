# The first two stages of ../tiny_shapes_motion.py, motion and words, from
# which the last stage of several methods starts.
#   python tools/train.py \
#       configs/referformer/ablations/tiny_shapes_motion_start.py
_base_ = '../_base_/tiny_shapes_motion.py'
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='motion',
                epochs=4,
                pipeline=_base_.motion_pipeline,
                frozen=['backbone']),
            dict(stage='words', epochs=7, pipeline=_base_.words_pipeline),
        ]),
    _base_.ema,
]
# the learning rate goes on falling, as if the last stage followed
train_cfg = dict(max_epochs=11, val_interval=11)
