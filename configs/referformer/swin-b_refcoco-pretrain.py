# ReferFormer, Swin-B, pre-trained on the still images of RefCOCO, RefCOCO+ and
# RefCOCOg: the start of swin-b_ytvos.py. The authors published no weights.
#   bash tools/dist_train.sh configs/referformer/swin-b_refcoco-pretrain.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/swin-b.py',
    '../_base_/datasets/refcoco.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_b,
    data_preprocessor=dict(test_pad_size_divisor=32),
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
auto_scale_lr = dict(base_batch_size=16)  # 8 GPUs x 2
