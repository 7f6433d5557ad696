# Pre-training on the still images of RefCOCO, RefCOCO+ and RefCOCOg, clips of
# one frame. The text model is trained too.
_base_ = [
    '../_base_/models/soc_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/soc_refcoco.py',
    '../_base_/schedules/soc_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[15, 20], gamma=0.1, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=64)  # 8 GPUs x 8
