# For testing A2D-Sentences weights on JHMDB-Sentences; there is no training.
_base_ = [
    '../_base_/models/soc_r50.py',
    '../_base_/backbones/video-swin-t.py',
    '../_base_/datasets/soc_jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_t,
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
test_cfg = dict(type='TestLoop')
