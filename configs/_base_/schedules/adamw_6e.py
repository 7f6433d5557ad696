# ReferFormer's fine-tuning: AdamW, three learning rates, 6 epochs.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=6, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=5e-4, fused=True),
    # The projection after the text model has the rate of the other parts.
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=0.5),
            'text_encoder.model': dict(lr_mult=0.1),
        }),
    clip_grad=dict(max_norm=0.1, norm_type=2))
param_scheduler = [
    dict(
        type='MultiStepLR', milestones=[3, 5], gamma=0.1,
        by_epoch=True)
]
# clips per step: 8 GPUs x 1
auto_scale_lr = dict(enable=False, base_batch_size=8)
