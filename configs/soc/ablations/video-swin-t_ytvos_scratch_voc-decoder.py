# Table 8: the cluster has a decoder only.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_voc-decoder.py 8
# Paper: J&F 58.1 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(encoder_layers=0))
