# For testing weights of video-swin-t_a2d_8-frames.py.
_base_ = './video-swin-t_jhmdb.py'
test_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='SampleCentredFrames', num_frames=8, middle=True),
        *_base_.test_pipeline[1:],
    ]))
