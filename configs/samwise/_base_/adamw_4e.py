# SAMWISE's fine-tuning: AdamW with one learning rate, 4 epochs. SAM 2 and
# RoBERTa are frozen.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=4, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-5, weight_decay=0., fused=True),
    clip_grad=dict(max_norm=1., norm_type=2))
# Constant in practice: a training reaches the drop near its end, if at all.
param_scheduler = [
    dict(
        type='MultiStepLR', milestones=[60000], gamma=0.1, by_epoch=False)
]
# statistics of the adapters over all GPUs
sync_bn = 'torch'
# clips per step: 4 GPUs x 1
auto_scale_lr = dict(enable=False, base_batch_size=4)
