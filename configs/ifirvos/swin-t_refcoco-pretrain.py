# IFIRVOS, Swin-T, pre-trained on the still images of RefCOCO, RefCOCO+ and
# RefCOCOg. The paper has no result with this backbone.
#   bash tools/dist_train.sh configs/ifirvos/swin-t_refcoco-pretrain.py 8
_base_ = [
    './_base_/ifirvos_r50.py',
    '../_base_/backbones/swin-t.py',
    '../_base_/datasets/refcoco.py',
    './_base_/adamw_10e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_t,
    data_preprocessor=dict(test_pad_size_divisor=32),
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
# The fusion has its own pooling, so RoBERTa's pooler gets no gradient.
find_unused_parameters = True
