_base_ = './video-swin-t_a2d.py'
sampler = dict(type='SampleCentredFrames', num_frames=8, middle=True)

train_dataloader = dict(
    batch_size=2,  # on 3 GPUs
    dataset=dict(pipeline=[sampler, *_base_.train_pipeline[1:]]))
val_dataloader = dict(
    dataset=dict(pipeline=[sampler, *_base_.test_pipeline[1:]]))
test_dataloader = val_dataloader
