# ReferFormer, Video-Swin-T: weights of video-swin-t_a2d.py tested on
# JHMDB-Sentences.
#   bash tools/dist_test.sh \
#       configs/referformer/video-swin-t_jhmdb.py CHECKPOINT 8
# Paper: mAP 42.2 on JHMDB-Sentences.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
