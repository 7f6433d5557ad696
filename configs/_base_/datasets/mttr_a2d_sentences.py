# A2D-Sentences as MTTR trains on it: all objects of the annotated frame, in
# the middle of 10.
_base_ = './a2d_sentences.py'
num_frames = 10

train_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames, middle=True),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks', all_objects=True),
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipResize', short_sides=320, longest=576, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames, middle=True),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=320, longest=576),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
