# Table 5: k-means in the place of the cluster's transformer.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(_delete_=True, type='KMeansCluster'))
