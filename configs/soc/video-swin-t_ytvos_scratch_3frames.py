# Table 7: training clips of 3 frames.
_base_ = './video-swin-t_ytvos_scratch.py'
train_dataloader = dict(
    dataset=dict(
        num_frames=3,
        pipeline=[
            dict(type='SampleConsecutiveFrames', num_frames=3),
            *_base_.train_pipeline[1:],
        ]))
