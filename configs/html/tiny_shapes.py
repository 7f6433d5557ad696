# HTML in the common budget: the clips of four frames of the last stage make
# scales of 4, 2 and 1 frames.
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    type='HTML', num_scales=3, stride=2, direction='coarse_to_fine')
