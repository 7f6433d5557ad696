# Pre-training on the still images of RefCOCO, RefCOCO+ and RefCOCOg. The
# published weights were made on 32 GPUs; the official script says 8 x 2.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/refcoco.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))

train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[8, 10], gamma=0.1, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=16)  # 8 GPUs x 2
