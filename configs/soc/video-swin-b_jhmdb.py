# SOC, Video-Swin-B: weights of video-swin-b_a2d.py tested on JHMDB-Sentences.
#   bash tools/dist_test.sh configs/soc/video-swin-b_jhmdb.py CHECKPOINT 8
_base_ = [
    './_base_/soc_video-swin-t.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
