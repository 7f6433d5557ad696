# A2D-Sentences with HTML: windows of frames around the annotated one, as in
# testing. The paper does not state the number of frames: 8, as on
# Ref-YouTube-VOS.
data_root = 'data/a2d_sentences/'
data_prefix = dict(
    video='Release/clips320H',
    mask='text_annotations/a2d_annotation_with_instances')
num_frames = 8

resize = dict(
    type='ClipResize',
    short_sides=[288, 320, 352, 392, 416, 448, 480, 512],
    longest=640,
    backend='torch')
train_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipPhotometricDistort'),
    dict(
        type='RandomChoice',
        transforms=[
            [resize],
            [
                dict(
                    type='ClipResize',
                    short_sides=[400, 500, 600],
                    backend='torch'),
                dict(type='ClipRandomCrop', min_size=384, max_size=600),
                resize,
            ],
        ]),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360, longest=640),
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
