# MTTR, Video-Swin-T, on A2D-Sentences, clips of 10 frames.
#   bash tools/dist_train.sh configs/mttr/video-swin-t_a2d.py 2
# Paper: mAP 46.1.
_base_ = [
    './_base_/mttr_video-swin-t.py',
    './_base_/a2d_sentences.py',
    './_base_/adamw_70e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(postprocessor=dict(_delete_=True, type='RankQueries')))
# The best epoch by mAP is kept as well, as in the official code.
default_hooks = dict(checkpoint=dict(save_best='a2d/mAP', rule='greater'))
