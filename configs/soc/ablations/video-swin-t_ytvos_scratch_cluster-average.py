# Table 5: the mean instead of the transformer of the cluster.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_cluster-average.py 8
# Paper: J&F 57.5 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(_delete_=True, type='AverageCluster'))
