# Tables 3 and 8: contrastive loss, no video object cluster.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(cluster=None)
