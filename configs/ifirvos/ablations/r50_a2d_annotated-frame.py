# ReferFormer's way on A2D-Sentences: all frames pass the backbone, only the
# annotated one is decoded. The inter-frame layers have no other frame to
# attend to. Ours: the paper has no such row.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_a2d_annotated-frame.py 8
_base_ = '../r50_a2d.py'
model = dict(decode_all_frames=False)
