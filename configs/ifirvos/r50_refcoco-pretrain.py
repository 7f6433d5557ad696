# IFIRVOS, ResNet-50, pre-trained on the still images of RefCOCO, RefCOCO+ and
# RefCOCOg.
#   bash tools/dist_train.sh configs/ifirvos/r50_refcoco-pretrain.py 8
_base_ = [
    './_base_/ifirvos_r50.py',
    '../_base_/datasets/refcoco.py',
    './_base_/adamw_10e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    text_encoder=dict(frozen=False),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
# The fusion has its own pooling, so RoBERTa's pooler gets no gradient.
find_unused_parameters = True
