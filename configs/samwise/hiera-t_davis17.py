# SAMWISE, Hiera-T: weights of hiera-t_ytvos.py tested on Ref-DAVIS17,
# one label map per annotator.
#   bash tools/dist_test.sh configs/samwise/hiera-t_davis17.py CHECKPOINT 8
_base_ = [
    './_base_/samwise_hiera-b.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    sam2=dict(arch='tiny', weights='facebook/sam2-hiera-tiny'),
    test_cfg=dict(postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/samwise_hiera-t_ytvos.pth'
