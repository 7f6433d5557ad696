# ReferFormer, Swin-L, pre-trained on the still images of RefCOCO, RefCOCO+ and
# RefCOCOg. The published weights are of 32 GPUs; the official script has 8 x
# 2.
#   bash tools/dist_train.sh configs/referformer/swin-l_refcoco-pretrain.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/swin-l.py',
    '../_base_/datasets/refcoco.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_l,
    data_preprocessor=dict(test_pad_size_divisor=32),
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
auto_scale_lr = dict(base_batch_size=16)  # 8 GPUs x 2
