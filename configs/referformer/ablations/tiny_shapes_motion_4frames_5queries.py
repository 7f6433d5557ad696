# tiny_shapes_motion_4frames.py with five queries, the baseline of IFIRVOS.
#   python tools/train.py \
#       configs/referformer/ablations/tiny_shapes_motion_4frames_5queries.py
_base_ = '../_base_/tiny_shapes_motion_4frames.py'
model = dict(decoder=dict(num_queries=5))
load_cfg = dict(drop=[r'^decoder\.query_embed\.'])
