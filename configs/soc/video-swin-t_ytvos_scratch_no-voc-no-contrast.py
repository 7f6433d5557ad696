# Table 3: neither video object cluster nor contrastive loss.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(cluster=None, head=dict(loss_weights=dict(con=0.)))
