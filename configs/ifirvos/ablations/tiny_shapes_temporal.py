# IFIRVOS whose inter-frame layers get the time of each frame. The paper has no
# such encoding.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/tiny_shapes_temporal.py 2
_base_ = '../tiny_shapes.py'
model = dict(decoder=dict(inter_frame=dict(temporal_encoding=True)))
