# Training of motion on Moving Shapes, on top of the weights of tiny_shapes.py:
# first with the motion of all objects, then with words on single frames, then
# with the whole method.
_base_ = [
    '../../_base_/models/referformer_tiny.py',
    '../../_base_/datasets/moving_shapes.py',
    '../../_base_/schedules/tiny.py',
    '../../_base_/default_runtime.py',
]
default_hooks = dict(checkpoint=dict(interval=4))
find_unused_parameters = True  # the first stages use some of the parts
randomness = dict(seed=0)

# weights of the first recipe of ../tiny_shapes.py, see docs/moving_shapes.md
load_from = 'demo/referformer_tiny_shapes_first-recipe.pth'
load_cfg = dict(drop=[r'^temporal\.', r'^motion_head\.', r'^word_head\.'])
model = dict(
    temporal=dict(type='TemporalMixer'),
    motion_head=dict(type='MotionHead', loss_weight=2.),
    decoded_frames=1)

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
            dict(stage='whole', epochs=6, pipeline=_base_.whole_pipeline),
        ]),
    _base_.ema,
]
train_dataloader = dict(
    batch_size=16, dataset=dict(pipeline=_base_.motion_pipeline))
train_cfg = dict(max_epochs=17, val_interval=17)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=30),
    dict(
        type='PolyLR',
        power=1.,
        eta_min=1e-5,
        begin=0,
        end=17,
        by_epoch=True,
        convert_to_iter_based=True),
]
