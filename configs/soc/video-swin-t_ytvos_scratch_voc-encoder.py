# Table 8: the cluster has only its encoder.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(decoder_layers=0))
