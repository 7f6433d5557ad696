# ReferFormer, ResNet-50: weights of r50_a2d.py tested on JHMDB-Sentences.
#   bash tools/dist_test.sh configs/referformer/r50_jhmdb.py CHECKPOINT 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
