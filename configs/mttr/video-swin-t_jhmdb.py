# MTTR, Video-Swin-T: weights of video-swin-t_a2d.py tested on JHMDB-Sentences.
#   bash tools/dist_test.sh configs/mttr/video-swin-t_jhmdb.py CHECKPOINT 2
# Paper: mAP 39.2.
_base_ = [
    './_base_/mttr_video-swin-t.py',
    './_base_/jhmdb_sentences.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(postprocessor=dict(_delete_=True, type='RankQueries')))
