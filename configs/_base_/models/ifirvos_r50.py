# IFIRVOS: ReferFormer with two plug-ins, and masks that weigh less.
_base_ = './referformer_r50.py'
weights = dict(mask=1., dice=1.)  # paper 4.2; ReferFormer: 2 and 5

model = dict(
    fusion=dict(
        type='VisionLanguageInteraction',
        interaction='multiply',
        text_update='fixed'),
    decoder=dict(
        inter_frame=dict(
            type='InterFrameLayer',
            num_heads=8,
            feedforward_channels=2048,
            dropout=0.1)),
    head=dict(
        loss_weights=weights,
        matcher=dict(mask_weight=1., dice_weight=1.)))
