# Changes of a model's config for Video-Swin-B: model = _base_.video_swin_b
# Pre-trained on ImageNet-22k and Kinetics-400; which weights the official code
# took is not stated.
video_swin_b = dict(
    backbone=dict(
        _delete_=True,
        type='VideoSwinTransformer',
        embed_dims=128,
        depths=[2, 2, 18, 2],
        num_heads=[4, 8, 16, 32],
        window_size=(8, 7, 7),
        drop_path_rate=0.2,
        with_cp=True,  # as officially, to fit a clip
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_base_patch244_window877_kinetics400_22k.pth')),
    backbone_channels=(128, 256, 512, 1024),
    pixel_decoder=dict(fine_channels=128))
