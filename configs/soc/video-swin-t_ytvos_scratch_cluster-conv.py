# Table 5: 1D convolution in the place of the cluster's transformer.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(_delete_=True, type='ConvCluster'))
