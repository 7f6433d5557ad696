# HTML in the common budget: as many videos and steps as ReferFormer, but four
# frames of each, not two, which make scales of 4, 2 and 1 frames.
_base_ = '../referformer/tiny_shapes.py'
model = dict(
    type='HTML', num_scales=3, stride=2, direction='coarse_to_fine')

train_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=4),
    *_base_.train_pipeline[1:],
]
custom_hooks = [
    dict(hook, switch_pipeline=train_pipeline)
    if hook.type == 'mmdet.PipelineSwitchHook' else hook
    for hook in _base_.custom_hooks
]
