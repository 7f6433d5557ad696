# A2D-Sentences without pre-training: clips of 6 frames, no dropout in encoder
# and decoder, less weight decay.
_base_ = './r50_a2d.py'
load_from = None
load_cfg = dict(drop=[])
model = dict(encoder=dict(dropout=0.), decoder=dict(dropout=0.))

train_dataloader = dict(
    batch_size=1,
    dataset=dict(pipeline=[
        dict(
            type='SampleLocalGlobalFrames', num_frames=6, locate_key=True),
        *_base_.train_pipeline[1:],
    ]))
val_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='SampleCentredFrames', num_frames=6),
        *_base_.test_pipeline[1:],
    ]))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[8, 10], gamma=0.1, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=8)  # 8 GPUs x 1
