# HTML, Video-Swin-T: weights of video-swin-t_a2d.py tested on JHMDB-Sentences
# (Table 4).
#   bash tools/dist_test.sh configs/html/video-swin-t_jhmdb.py CHECKPOINT 8
# Paper: mAP 42.7 on JHMDB-Sentences.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/video-swin-t.py',
    './_base_/jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    type='HTML',
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
