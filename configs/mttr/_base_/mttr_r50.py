# MTTR with ResNet-50, which the official code supports; the paper reports no
# result. The last stage is dilated, so the coarsest map keeps stride 16.
_base_ = './mttr_video-swin-t.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='DilatedResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/'
            'resnet50-0676ba61.pth')),
    backbone_channels=(256, 512, 1024, 2048))
