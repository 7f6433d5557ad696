# For testing weights of video-swin-t_a2d.py on JHMDB-Sentences (Table 4).
_base_ = ['../referformer/r50_jhmdb.py', '../_base_/backbones/video-swin-t.py']
model = dict(type='HTML', **_base_.video_swin_t)

test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=8),
    *_base_.test_pipeline[1:],
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
