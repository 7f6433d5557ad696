_base_ = './video-swin-t_ytvos.py'
train_dataloader = dict(
    dataset=dict(
        num_frames=8,
        pipeline=[
            dict(type='SampleConsecutiveFrames', num_frames=8),
            *_base_.train_pipeline[1:],
        ]))
auto_scale_lr = dict(base_batch_size=8)  # 8 GPUs x 1
