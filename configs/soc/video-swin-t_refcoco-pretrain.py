# SOC, Video-Swin-T, pre-trained on the still images of RefCOCO, RefCOCO+ and
# RefCOCOg, clips of one frame. The text model is trained, too.
#   bash tools/dist_train.sh configs/soc/video-swin-t_refcoco-pretrain.py 8
_base_ = [
    './_base_/soc_video-swin-t.py',
    './_base_/refcoco.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[15, 20], gamma=0.1, by_epoch=True)
]
auto_scale_lr = dict(base_batch_size=64)  # 8 GPUs x 8
