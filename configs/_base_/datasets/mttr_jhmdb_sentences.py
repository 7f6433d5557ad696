# JHMDB-Sentences for testing MTTR.
_base_ = './jhmdb_sentences.py'
num_frames = 10

test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames, middle=True),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=320, longest=576),
    dict(type='PackRVOSInputs', keep_masks=True),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
