# Table 8: the cluster has an encoder only.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_voc-encoder.py 8
# Paper: J&F 58.3 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=dict(decoder_layers=0))
