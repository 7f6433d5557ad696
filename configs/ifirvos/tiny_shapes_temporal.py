# Ours, not the paper's: the inter-frame layers know when a frame is.
_base_ = './tiny_shapes.py'
model = dict(decoder=dict(inter_frame=dict(temporal_encoding=True)))
