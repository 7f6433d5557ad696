# Table 6: 25 queries a frame and of the video.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(decoder=dict(num_queries=25), cluster=dict(num_queries=25))
