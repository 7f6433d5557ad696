# The last stage of training of motion with four decoded frames: the baseline
# of the modules of html/, ifirvos/ and soc/ on the same start.
#   python tools/train.py \
#       configs/referformer/ablations/tiny_shapes_motion_4frames.py
_base_ = '../_base_/tiny_shapes_motion_4frames.py'
