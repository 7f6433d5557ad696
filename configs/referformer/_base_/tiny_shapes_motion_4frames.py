# The last stage of training of motion, with several decoded frames: for
# modules that relate the frames of a clip. All start from the same weights.
_base_ = [
    '../../_base_/models/referformer_tiny.py',
    '../../_base_/datasets/moving_shapes.py',
    '../../_base_/schedules/tiny.py',
    '../../_base_/default_runtime.py',
]
default_hooks = dict(checkpoint=dict(interval=1))
find_unused_parameters = True  # the backbone is frozen
randomness = dict(seed=0)

load_from = 'checkpoints/referformer_tiny_shapes_motion_start.pth'
model = dict(
    temporal=dict(type='TemporalMixer'),
    motion_head=dict(type='MotionHead', loss_weight=2.),
    decoded_frames=4)

whole_pipeline = [
    dict(type='SampleAllFrames'),
    dict(
        type='SampleExpressions',
        num=2,
        type_weights=dict(_base_.motion_weights, relation=1.5)),
    *_base_.load_motion,
    *_base_.pack,
]
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[
            dict(
                stage='whole',
                epochs=5,
                pipeline=whole_pipeline,
                frozen=['backbone']),
        ]),
    _base_.ema,
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=whole_pipeline))
train_cfg = dict(max_epochs=5, val_interval=1)
# from the rate at which the start ends
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=30),
    dict(
        type='PolyLR',
        power=1.,
        eta_min=1e-5,
        begin=0,
        end=5,
        by_epoch=True,
        convert_to_iter_based=True),
]
