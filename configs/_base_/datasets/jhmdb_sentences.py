# JHMDB-Sentences for testing models of A2D-Sentences, clips of 5 frames.
num_frames = 5

test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360, longest=640),
    dict(type='PackRVOSInputs', keep_masks=True),
]

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='JHMDBSentencesDataset',
        data_root='data/jhmdb_sentences/',
        ann_file='jhmdb_sentences_samples_metadata.json',
        test_mode=True,
        pipeline=test_pipeline))

test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='JHMDBMetric')
