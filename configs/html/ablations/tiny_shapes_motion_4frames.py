# The temporal scales of HTML on the start of
# referformer/ablations/tiny_shapes_motion_4frames.py: four, two and one of the
# decoded frames.
#   python tools/train.py configs/html/ablations/tiny_shapes_motion_4frames.py
_base_ = '../../referformer/_base_/tiny_shapes_motion_4frames.py'
model = dict(type='HTML')
