# A2D-Sentences (Table 3). Only the annotated frame is decoded, so scales
# differ in what the backbone sees around it. The paper does not say how many
# frames: here as many as on Ref-YouTube-VOS.
_base_ = ['../referformer/r50_a2d.py', '../_base_/backbones/video-swin-t.py']
model = dict(type='HTML', **_base_.video_swin_t)
load_from = 'checkpoints/referformer_video-swin-t_refcoco-pretrain.pth'

num_frames = 8
train_pipeline = [
    dict(
        type='SampleLocalGlobalFrames',
        num_frames=num_frames,
        locate_key=True),
    *_base_.train_pipeline[1:],
]
test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames),
    *_base_.test_pipeline[1:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
