# A2D-Sentences as SOC trains on it: 8 frames around the annotated one.
_base_ = './a2d_sentences.py'
train_pipeline = [
    dict(type='SampleCentredFrames', num_frames=8, middle=True),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    # the code tests a normal draw against 0.5; a probability of 0.5 is meant
    dict(type='ClipFlip', prob=0.3085),
    dict(type='ClipResize', short_sides=320, longest=576, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=8, middle=True),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=320, longest=576),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
