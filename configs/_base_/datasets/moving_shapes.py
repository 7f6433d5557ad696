# Moving Shapes, which is generated on first use. One entry is a video; each
# step draws expressions from its large pool, which share the encoded frames.
data_root = 'data/moving_shapes_small/'
size = 'small'

augmentation = [
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    # augmentation for little data; direction words change with the picture
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipFlip', prob=0.5, direction='vertical'),
    dict(type='ClipRandomZoom', scale=(0.8, 1.25), shift=0.1, prob=0.3),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
# One pipeline per stage of training: all objects, for the classification of
# the backbone; expressions of appearance only, since a model that meets all
# types at once learns late to use the words; mostly expressions of position,
# as soon as appearance is known; single frames, which give a step the most
# different expressions per second; clips.
category_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=1),
    dict(type='SampleExpressions', num=8),
    *augmentation,
]
appearance_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=1),
    dict(
        type='SampleExpressions', num=6, type_weights=dict(appearance=1.)),
    *augmentation,
]
position_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=1),
    dict(
        type='SampleExpressions',
        num=2,
        type_weights=dict(appearance=1., position=2.)),
    *augmentation,
]
# Both in one, for methods without a stage 'words': mostly expressions that a
# map without neighbours can decide.
dense_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=1),
    dict(
        type='SampleExpressions',
        num=2,
        type_weights=dict(appearance=2., position=1., mixed=1.)),
    *augmentation,
]
frame_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=1),
    dict(
        type='SampleExpressions',
        num=1,
        type_weights=dict(
            appearance=2., position=2., relation=3., mixed=1.)),
    *augmentation,
]
clip_pipeline = [
    dict(type='SampleSpreadFrames', num_frames=2),
    dict(
        type='SampleExpressions',
        num=1,
        type_weights={
            'appearance': 2.,
            'position': 2.,
            'relation': 3.,
            'mixed': 2.,
            'motion-extent': 1.,
            'motion-order': 1.
        }),
    *augmentation,
]
# Clips of all 16 frames, for the temporal mixer, whose kernel counts frames;
# the motion loss needs the masks of all objects.
load_motion = [
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks', all_objects=True),
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipFlip', prob=0.5, direction='vertical'),
]
pack = [dict(type='CheckValid'), dict(type='PackRVOSInputs')]
motion_weights = {
    'motion-extent': 3.,
    'motion-order': 3.,
    'appearance': 1.,
    'position': 1.,
    'mixed': 1.
}
motion_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='SampleExpressions', num=1),
    *load_motion,
    # this stage uses no sentence, so every clip may be reversed
    dict(type='ClipReverse', words=()),
    *pack,
]
words_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='SampleExpressions', num=24, type_weights=motion_weights),
    *load_motion,
    *pack,
]
whole_pipeline = [
    dict(type='SampleAllFrames'),
    dict(
        type='SampleExpressions',
        num=6,
        type_weights=dict(motion_weights, relation=1.5)),
    *load_motion,
    *pack,
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=False,  # workers must see the next pipeline
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='MovingShapesDataset',
        size=size,
        data_root=data_root,
        ann_file='meta_expressions/train/meta_expressions.json',
        meta_file='train/meta.json',  # shapes, for the category stage
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'),
        entry='video',
        num_frames=16,  # of a video, which is one entry
        pipeline=category_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='MovingShapesDataset',
        size=size,
        data_root=data_root,
        ann_file='meta_expressions/valid/meta_expressions.json',
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='MovingShapesMetric', data_root=data_root)
test_evaluator = val_evaluator
