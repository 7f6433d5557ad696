# SAMWISE, Hiera-B+: weights of hiera-b_ytvos.py tested on Ref-DAVIS17,
# one label map per annotator.
#   bash tools/dist_test.sh configs/samwise/hiera-b_davis17.py CHECKPOINT 8
# Paper: J&F 70.6 on Ref-DAVIS17.
_base_ = [
    './_base_/samwise_hiera-b.py',
    './_base_/ref_davis17.py',
    '../_base_/default_runtime.py',
]
model = dict(
    test_cfg=dict(postprocessor=dict(type='MergeObjects')))
load_from = 'checkpoints/samwise_hiera-b_ytvos.pth'
