# Video-Swin-B for the model of any method: model = _base_.video_swin_b
# Weights of ImageNet-22k and Kinetics-400. The official code does not name the
# ones it used.
video_swin_b = dict(
    backbone=dict(
        _delete_=True,
        type='VideoSwinTransformer',
        embed_dims=128,
        depths=[2, 2, 18, 2],
        num_heads=[4, 8, 16, 32],
        with_cp=True,  # as in the official code, to fit a clip
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_base_patch244_window877_kinetics400_22k.pth')),
    backbone_channels=(128, 256, 512, 1024))
