# JHMDB-Sentences for testing SOC. The paper's scores are of another draw of
# frames than MTTR's and ReferFormer's, which is the one used here.
_base_ = './jhmdb_sentences.py'
test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=8, middle=True),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=320, longest=576),
    dict(type='PackRVOSInputs', keep_masks=True),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
