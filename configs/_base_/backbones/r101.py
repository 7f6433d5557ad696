# ResNet-101 for the model of any method: model = _base_.r101
r101 = dict(
    backbone=dict(
        _delete_=True,
        type='mmdet.ResNet',
        depth=101,
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/'
            'resnet101-63fe2227.pth')),
    backbone_channels=(256, 512, 1024, 2048))
