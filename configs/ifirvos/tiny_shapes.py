# IFIRVOS in the common budget: as many videos and steps as ReferFormer, but
# four frames of each, not two, so that motion is there to be seen.
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    fusion=dict(type='VisionLanguageInteraction'),
    decoder=dict(
        inter_frame=dict(
            type='InterFrameLayer',
            num_heads=4,
            feedforward_channels=256,
            dropout=0.)))

train_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=4),
    *_base_.train_pipeline[1:],
]
custom_hooks = [
    dict(hook, switch_pipeline=train_pipeline)
    if hook.type == 'mmdet.PipelineSwitchHook' else hook
    for hook in _base_.custom_hooks
]
