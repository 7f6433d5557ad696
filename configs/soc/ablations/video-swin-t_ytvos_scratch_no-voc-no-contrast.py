# Table 3: neither video object cluster nor contrastive loss.
#   bash tools/dist_train.sh \
#   configs/soc/ablations/video-swin-t_ytvos_scratch_no-voc-no-contrast.py 8
# Paper: J&F 55.6 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(cluster=None, head=dict(loss_weights=dict(con=0.)))
