# Fine-tuning on A2D-Sentences from the RefCOCO/+/g pre-training.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/a2d_sentences.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/referformer_r50_refcoco-pretrain.pth'
# the classifier starts anew, as officially
load_cfg = dict(drop=[r'head\.class_branches\..*'])
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
auto_scale_lr = dict(base_batch_size=16)  # 8 GPUs x 2
