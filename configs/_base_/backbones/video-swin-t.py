# Video-Swin-T for the model of any method: model = _base_.video_swin_t
video_swin_t = dict(
    backbone=dict(
        _delete_=True,
        type='VideoSwinTransformer',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_tiny_patch244_window877_kinetics400_1k.pth')),
    backbone_channels=(96, 192, 384, 768))
