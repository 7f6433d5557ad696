# MLRL's AdamW. The paper gives the backbone ten times the rate of the other
# parts, which is unusual; it is kept. The paper does not state epochs, weight
# decay and clipping.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=12, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-5, weight_decay=1e-4, fused=True),
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=10.),
        }),
    clip_grad=dict(max_norm=1., norm_type=2))
param_scheduler = [
    dict(
        type='MultiStepLR', milestones=[10], gamma=0.1,
        by_epoch=True)
]
# clips per step: 4 GPUs x 2
auto_scale_lr = dict(enable=False, base_batch_size=8)
