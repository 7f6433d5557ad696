# Table 5: k-means instead of the transformer of the cluster.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_cluster-kmeans.py 8
# Paper: J&F 33.8 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(_delete_=True, type='KMeansCluster'))
