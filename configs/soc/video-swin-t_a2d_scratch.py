# SOC, Video-Swin-T, on A2D-Sentences without pre-training on still images
# (Table 2, first part). The official README states ten times these rates, its
# config file these.
#   bash tools/dist_train.sh configs/soc/video-swin-t_a2d_scratch.py 2
# Paper: mAP 50.4.
_base_ = [
    './_base_/soc_video-swin-t.py',
    './_base_/a2d_sentences.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(test_cfg=dict(postprocessor=dict(type='RankQueries')))
optim_wrapper = dict(optimizer=dict(lr=5e-5))
train_cfg = dict(max_epochs=40)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[15], gamma=0.2, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=4)  # 2 GPUs x 2
# The best epoch by mAP is kept as well, as in the official code.
default_hooks = dict(checkpoint=dict(save_best='a2d/mAP', rule='greater'))
