# SAMWISE, Hiera-B+, trained on Ref-YouTube-VOS from the pretraining on images.
#   bash tools/dist_train.sh configs/samwise/hiera-b_ytvos.py 4
# Paper: J&F 69.2 on Ref-YouTube-VOS.
_base_ = [
    './_base_/samwise_hiera-b.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_4e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/samwise_hiera-b_refcoco-pretrain.pth'
load_cfg = dict(drop=[
    # SAM 2's own; off in the pretraining
    r'^sam2\..*(obj_score|no_object_pointer)',
    # new
    r'^adapters\.\d\.selective\.',
    r'^memory_decision\.',
])
