# Changes of a model's config for Video-Swin-T: model = _base_.video_swin_t
video_swin_t = dict(
    backbone=dict(
        _delete_=True,
        type='VideoSwinTransformer',
        embed_dims=96,
        depths=[2, 2, 6, 2],
        num_heads=[3, 6, 12, 24],
        window_size=(8, 7, 7),
        drop_path_rate=0.2,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_tiny_patch244_window877_kinetics400_1k.pth')),
    backbone_channels=(96, 192, 384, 768),
    pixel_decoder=dict(fine_channels=96))
