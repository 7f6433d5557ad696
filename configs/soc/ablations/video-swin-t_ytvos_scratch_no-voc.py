# Tables 3 and 8: contrastive loss, no video object cluster.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_no-voc.py 8
# Paper: J&F 57.1 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=None)
