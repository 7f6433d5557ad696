# Table 5: 1D convolution instead of the transformer of the cluster.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_cluster-conv.py 8
# Paper: J&F 55.1 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(_delete_=True, type='ConvCluster'))
