# Control of ../tiny_shapes_motion.py: the same stages and losses without the
# temporal mixer, so no layer combines frames.
#   python tools/train.py \
#       configs/referformer/ablations/tiny_shapes_motion_no-mixer.py
_base_ = '../_base_/tiny_shapes_motion.py'
model = dict(temporal=None)
load_cfg = dict(drop=[r'^motion_head\.', r'^word_head\.'])
