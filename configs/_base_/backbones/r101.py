# Changes of a ResNet-50 model's config for ResNet-101: model = _base_.r101
r101 = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(
            checkpoint='https://download.pytorch.org/models/'
            'resnet101-63fe2227.pth')))
