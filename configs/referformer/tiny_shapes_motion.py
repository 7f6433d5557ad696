# ReferFormer with a temporal mixer (ours), on top of tiny_shapes.py. Trained
# with the motion of all objects, then with words on single frames, then whole.
#   python tools/train.py configs/referformer/tiny_shapes_motion.py
_base_ = './_base_/tiny_shapes_motion.py'
