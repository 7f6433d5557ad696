# Swin-T for the model of any method: model = _base_.swin_t
swin_t = dict(
    backbone=dict(
        _delete_=True,
        type='mmdet.SwinTransformer',
        drop_path_rate=0.2,
        convert_weights=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.0/swin_tiny_patch4_window7_224.pth')),
    backbone_channels=(96, 192, 384, 768))
