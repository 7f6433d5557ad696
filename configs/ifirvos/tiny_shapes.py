# IFIRVOS in the common budget: as many videos and steps as ReferFormer, but
# four frames of each in the last stage, not two, so that motion is there to be
# seen.
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    fusion=dict(type='VisionLanguageInteraction'),
    decoder=dict(
        inter_frame=dict(
            type='InterFrameLayer',
            num_heads=4,
            feedforward_channels=256,
            dropout=0.)))

stages = _base_.custom_hooks[0].stages
clip_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=4),
    *_base_.clip_pipeline[1:],
]
custom_hooks = [
    dict(
        type='TrainingStagesHook',
        stages=[*stages[:-1], dict(stages[-1], pipeline=clip_pipeline)]),
    *_base_.custom_hooks[1:],
]
