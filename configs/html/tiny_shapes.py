# HTML in the common budget: as many videos and steps as ReferFormer, but four
# frames of each in the last stage, not two, which make scales of 4, 2 and 1.
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    type='HTML', num_scales=3, stride=2, direction='coarse_to_fine')

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
