# Table 8: the cluster has only its decoder.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(encoder_layers=0))
