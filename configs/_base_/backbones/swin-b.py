# Changes of a model's config for Swin-B: model = _base_.swin_b
# ImageNet-22k weights; which ones the official code took is not stated.
swin_b = dict(
    backbone=dict(
        _delete_=True,
        type='mmdet.SwinTransformer',
        embed_dims=128,
        depths=[2, 2, 18, 2],
        num_heads=[4, 8, 16, 32],
        window_size=7,
        drop_path_rate=0.3,
        convert_weights=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.0/swin_base_patch4_window7_224_22k.pth')),
    backbone_channels=(128, 256, 512, 1024),
    pixel_decoder=dict(fine_channels=128))
