# SAMWISE, Hiera-B+, trained on MeViS from the pretraining on images.
#   bash tools/dist_train.sh configs/samwise/hiera-b_mevis.py 4
# Paper: J&F 57.1 on MeViS (valid_u).
_base_ = [
    './_base_/samwise_hiera-b.py',
    './_base_/mevis.py',
    './_base_/adamw_4e.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_epochs=1)
load_from = 'checkpoints/samwise_hiera-b_refcoco-pretrain.pth'
load_cfg = dict(drop=[
    # SAM 2's own; off in the pretraining
    r'^sam2\..*(obj_score|no_object_pointer)',
    # new
    r'^adapters\.\d\.selective\.',
    r'^memory_decision\.',
])
