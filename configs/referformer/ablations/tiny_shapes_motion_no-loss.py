# Control of ../tiny_shapes_motion.py: the temporal mixer without the motion
# loss. Two more epochs on words take the time of the stage 'motion'.
#   python tools/train.py \
#       configs/referformer/ablations/tiny_shapes_motion_no-loss.py
_base_ = '../_base_/tiny_shapes_motion.py'
model = dict(motion_head=None)
load_cfg = dict(drop=[r'^temporal\.', r'^word_head\.'])
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='words',
                epochs=9,
                pipeline=_base_.words_pipeline,
                frozen=['backbone']),
            dict(stage='whole', epochs=6, pipeline=_base_.whole_pipeline),
        ]),
    _base_.ema,
]
train_cfg = dict(max_epochs=15, val_interval=15)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=30),
    dict(
        type='PolyLR',
        power=1.,
        eta_min=1e-5,
        begin=0,
        end=15,
        by_epoch=True,
        convert_to_iter_based=True),
]
