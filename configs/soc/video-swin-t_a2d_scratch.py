# A2D-Sentences without pre-training on still images (Table 2, first part).
# The official README says ten times these rates, its config file these.
_base_ = [
    '../_base_/models/soc_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/soc_a2d_sentences.py',
    '../_base_/schedules/soc_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    test_cfg=dict(postprocessor=dict(type='RankQueries')))

optim_wrapper = dict(optimizer=dict(lr=5e-5))
train_cfg = dict(max_epochs=40)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[15], gamma=0.2, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=4)  # 2 GPUs x 2
