# Table 3: video object cluster, no contrastive loss.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(head=dict(loss_weights=dict(con=0.)))
