# For testing weights of video-swin-t_a2d.py on JHMDB-Sentences.
_base_ = [
    '../_base_/models/mttr_video-swin-t.py',
    '../_base_/datasets/mttr_jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(postprocessor=dict(_delete_=True, type='RankQueries')))
test_cfg = dict(type='TestLoop')
