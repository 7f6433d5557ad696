# A2D-Sentences as SOC trains on it: 8 frames around the annotated one.
data_root = 'data/a2d_sentences/'
data_prefix = dict(
    video='Release/clips320H',
    mask='text_annotations/a2d_annotation_with_instances')
num_frames = 8

train_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames, middle=True),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    # The official code compares a normal sample with 0.5, which intends a
    # probability of 0.5 and results in 0.3085.
    dict(type='ClipFlip', prob=0.3085),
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

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='A2DSentencesDataset',
        data_root=data_root,
        ann_file='a2d_sentences_single_frame_train_annotations.json',
        data_prefix=data_prefix,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='A2DSentencesDataset',
        data_root=data_root,
        ann_file='a2d_sentences_single_frame_test_annotations.json',
        data_prefix=data_prefix,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='A2DMetric')
test_evaluator = val_evaluator
