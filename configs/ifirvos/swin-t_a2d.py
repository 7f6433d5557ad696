# IFIRVOS, Swin-T, fine-tuned on A2D-Sentences from the pre-training on
# RefCOCO/+/g, with the setting of Ref-YouTube-VOS: all six frames are decoded,
# so that the inter-frame layers relate them, and the annotated one is
# supervised and scored. The paper has no result with this backbone.
#   bash tools/dist_train.sh configs/ifirvos/swin-t_a2d.py 8
_base_ = [
    './_base_/ifirvos_r50.py',
    '../_base_/backbones/swin-t.py',
    './_base_/a2d_sentences.py',
    './_base_/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.swin_t,
    decode_all_frames=True,
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
load_from = 'checkpoints/ifirvos_swin-t_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
