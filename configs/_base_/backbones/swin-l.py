# Swin-L for the model of any method: model = _base_.swin_l
swin_l = dict(
    backbone=dict(
        _delete_=True,
        type='mmdet.SwinTransformer',
        embed_dims=192,
        depths=[2, 2, 18, 2],
        num_heads=[6, 12, 24, 48],
        drop_path_rate=0.3,
        with_cp=True,  # as in the official code, to fit a clip
        convert_weights=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.0/swin_large_patch4_window7_224_22k.pth')),
    backbone_channels=(192, 384, 768, 1536))
