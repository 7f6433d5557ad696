# Table 7: training clips of 10 frames.
_base_ = './video-swin-t_ytvos_scratch.py'
train_dataloader = dict(
    dataset=dict(
        num_frames=10,
        pipeline=[
            dict(type='SampleConsecutiveFrames', num_frames=10),
            *_base_.train_pipeline[1:],
        ]))
