# Table 6: 15 queries a frame and of the video.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(decoder=dict(num_queries=15), cluster=dict(num_queries=15))
