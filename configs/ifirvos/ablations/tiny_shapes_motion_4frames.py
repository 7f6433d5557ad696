# The inter-frame layers of IFIRVOS on the start of
# referformer/ablations/tiny_shapes_motion_4frames_5queries.py.
#   python tools/train.py \
#       configs/ifirvos/ablations/tiny_shapes_motion_4frames.py
_base_ = '../../referformer/_base_/tiny_shapes_motion_4frames.py'
model = dict(
    decoder=dict(
        num_queries=5,
        inter_frame=dict(
            type='InterFrameLayer',
            num_heads=4,
            feedforward_channels=256,
            dropout=0.)))
load_cfg = dict(
    drop=[r'^decoder\.query_embed\.', r'^decoder\.inter_frame\.'])
