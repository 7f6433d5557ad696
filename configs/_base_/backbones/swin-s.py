# Swin-S for the model of any method: model = _base_.swin_s
swin_s = dict(
    backbone=dict(
        _delete_=True,
        type='mmdet.SwinTransformer',
        depths=[2, 2, 18, 2],
        drop_path_rate=0.2,
        convert_weights=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.0/swin_small_patch4_window7_224.pth')),
    backbone_channels=(96, 192, 384, 768))
