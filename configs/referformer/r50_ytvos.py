# Fine-tuning on Ref-YouTube-VOS from the RefCOCO/+/g pretraining:
#   load_from = 'work_dirs/referformer/r50_refcoco-pretrain/epoch_12.pth'
# or an official checkpoint through tools/model_converters.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/ref_youtube_vos.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/referformer_r50_refcoco-pretrain.pth'
# the classifier starts anew, as officially
load_cfg = dict(drop=[r'head\.class_branches\..*'])
