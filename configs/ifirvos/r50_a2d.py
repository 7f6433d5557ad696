# Fine-tuning on A2D-Sentences from the RefCOCO/+/g pre-training. Only the
# annotated frame is decoded, as in ReferFormer: the inter-frame layers then
# see the queries of that one frame.
_base_ = [
    '../_base_/models/ifirvos_r50.py',
    '../_base_/datasets/ifirvos_a2d_sentences.py',
    '../_base_/schedules/ifirvos_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/ifirvos_r50_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
