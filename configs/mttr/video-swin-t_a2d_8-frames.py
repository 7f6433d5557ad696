# MTTR, Video-Swin-T, on A2D-Sentences, clips of 8 frames.
#   bash tools/dist_train.sh configs/mttr/video-swin-t_a2d_8-frames.py 3
# Paper: mAP 44.7.
_base_ = './video-swin-t_a2d.py'
sampler = dict(type='SampleCentredFrames', num_frames=8, middle=True)

train_dataloader = dict(
    batch_size=2,  # 3 GPUs x 2
    dataset=dict(pipeline=[sampler, *_base_.train_pipeline[1:]]))
val_dataloader = dict(
    dataset=dict(pipeline=[sampler, *_base_.test_pipeline[1:]]))
test_dataloader = val_dataloader
