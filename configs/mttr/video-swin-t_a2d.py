# A2D-Sentences, windows of 10 frames.
_base_ = [
    '../_base_/models/mttr_video-swin-t.py',
    '../_base_/datasets/mttr_a2d_sentences.py',
    '../_base_/schedules/mttr_70e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(postprocessor=dict(_delete_=True, type='RankQueries')))
train_dataloader = dict(batch_size=3)
