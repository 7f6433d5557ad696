# Trains from scratch on two CPU cores:
#   bash tools/dist_train.sh configs/referformer/tiny_shapes.py 2
_base_ = [
    '../_base_/models/referformer_tiny.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/tiny.py',
    '../_base_/default_runtime.py',
]
randomness = dict(seed=0)
