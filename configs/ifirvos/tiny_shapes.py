# IFIRVOS in the common budget.
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    fusion=dict(type='VisionLanguageInteraction'),
    decoder=dict(
        inter_frame=dict(
            type='InterFrameLayer',
            num_heads=4,
            feedforward_channels=256,
            dropout=0.)))
