# MTTR with ResNet-50, which the official code supports and no published
# result uses. The last stage is dilated, so the coarsest map keeps stride 16.
_base_ = './mttr_video-swin-t.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='DilatedResNet',
        depth=50,
        num_stages=4,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/'
            'resnet50-0676ba61.pth')),
    backbone_channels=(256, 512, 1024, 2048),
    pixel_decoder=dict(
        in_channels=(256, 1024, 512),
        fine_channels=256,
        channels=(128, 64, 32, 16)))
