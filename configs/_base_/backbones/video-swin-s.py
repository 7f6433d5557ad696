# Video-Swin-S for the model of any method: model = _base_.video_swin_s
video_swin_s = dict(
    backbone=dict(
        _delete_=True,
        type='VideoSwinTransformer',
        depths=[2, 2, 18, 2],
        with_cp=True,  # as in the official code, to fit a clip
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/'
            'download/v1.0.4/'
            'swin_small_patch244_window877_kinetics400_1k.pth')),
    backbone_channels=(96, 192, 384, 768))
