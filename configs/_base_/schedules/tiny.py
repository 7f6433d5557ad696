# The common budget of the tiny configs, in epochs of 1,200 clips, sixteen a
# step. Each stage costs more a step than the one before, and begins with what
# that one has learnt; the pipelines are those of the data set.
category_epochs = 30
dense_epochs = 5
frame_epochs = 58
clip_epochs = 7
max_epochs = category_epochs + dense_epochs + frame_epochs + clip_epochs
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# Everything is from scratch, so one learning rate for all.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(
        type='AdamW', lr=2e-3, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=1., norm_type=2))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=100),
    # transformers bear less than the backbone
    dict(type='MultiStepLR', milestones=[category_epochs], gamma=0.5),
    dict(
        type='PolyLR',
        power=1.,
        eta_min=1e-5,
        begin=category_epochs,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True),
]
# clips in a step: 2 processes x 8
auto_scale_lr = dict(enable=False, base_batch_size=16)
