# MTTR's training on A2D-Sentences: AdamW, three learning rates, 70 epochs. The
# official training uses mixed precision: --amp.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=70, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=1e-4, fused=True),
    # The text model is frozen; its rate is that of a trained one.
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=0.1),
            'text_encoder.model': dict(lr_mult=0.5),
        }),
    clip_grad=dict(max_norm=0.1, norm_type=2))
param_scheduler = [
    dict(
        type='MultiStepLR', milestones=[50], gamma=0.4,
        by_epoch=True)
]
# clips per step: 2 GPUs x 3
auto_scale_lr = dict(enable=False, base_batch_size=6)
