# Pre-training on the still images of RefCOCO, RefCOCO+ and RefCOCOg.
_base_ = [
    '../_base_/models/ifirvos_r50.py',
    '../_base_/datasets/refcoco.py',
    '../_base_/schedules/ifirvos_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))

train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[6, 8], gamma=0.1, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=16)  # 8 GPUs x 2
# RoBERTa's own pooler is trained by nothing: the interaction has another
find_unused_parameters = True
