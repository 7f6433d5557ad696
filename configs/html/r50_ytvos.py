# ReferFormer's fine-tuning on Ref-YouTube-VOS, from the same pre-training on
# still images, with clips of 8 frames at scales of 8, 4 and 2.
_base_ = '../referformer/r50_ytvos.py'
model = dict(
    type='HTML', num_scales=3, stride=2, direction='coarse_to_fine')

num_frames = 8
train_pipeline = [
    dict(type='SampleLocalGlobalFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
