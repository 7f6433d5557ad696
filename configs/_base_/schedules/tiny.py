# The budget that all tiny configs share: 100 epochs of 1,200 clips, 16 per
# step, of which the first 30 train the backbone on categories. The stages of
# training are in the leaf.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=100, val_interval=100)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# All parts are trained from scratch, so they share one learning rate.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=1., norm_type=2))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=100),
    # transformers need a lower rate than the backbone
    dict(type='MultiStepLR', milestones=[30], gamma=0.5),
    dict(
        type='PolyLR',
        power=1.,
        eta_min=1e-5,
        begin=30,
        end=100,
        by_epoch=True,
        convert_to_iter_based=True),
]
# clips per step: 2 processes x 8
auto_scale_lr = dict(enable=False, base_batch_size=16)

ema = dict(
    type='EMAHook',
    ema_type='ExponentialMovingAverage',
    momentum=4e-3,
    update_buffers=True)
