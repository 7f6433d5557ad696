# ConvNeXt-L for the model of any method: model = _base_.convnext_l
# Weights of ImageNet-22k. The official code of MUTR does not name the ones it
# used.
convnext_l = dict(
    backbone=dict(
        _delete_=True,
        type='ConvNeXt',
        depths=[3, 3, 27, 3],
        hidden_sizes=[192, 384, 768, 1536],
        drop_path_rate=0.5,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://dl.fbaipublicfiles.com/convnext/'
            'convnext_large_22k_224.pth')),
    backbone_channels=(192, 384, 768, 1536))
