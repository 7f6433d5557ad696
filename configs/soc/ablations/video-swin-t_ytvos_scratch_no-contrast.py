# Table 3: video object cluster, no contrastive loss.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_no-contrast.py 8
# Paper: J&F 58.0 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(head=dict(loss_weights=dict(con=0.)))
