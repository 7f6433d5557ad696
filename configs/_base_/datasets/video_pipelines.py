# ReferFormer's clips: five frames, flipped with their words, distorted,
# resized or cropped. The data sets in this folder build on it.
scales = [288, 320, 352, 392, 416, 448, 480, 512]
num_frames = 5

augmentation = [
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipPhotometricDistort'),
    dict(
        type='RandomChoice',
        transforms=[
            [
                dict(
                    type='ClipResize',
                    short_sides=scales,
                    longest=640,
                    backend='torch')
            ],
            [
                dict(
                    type='ClipResize',
                    short_sides=[400, 500, 600],
                    backend='torch'),
                dict(type='ClipRandomCrop', min_size=384, max_size=600),
                dict(
                    type='ClipResize',
                    short_sides=scales,
                    longest=640,
                    backend='torch')
            ],
        ]),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
train_pipeline = [
    dict(type='SampleLocalGlobalFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    *augmentation,
]
# the whole video; the official inference sets no maximum of the long side
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=360),
    dict(type='PackRVOSInputs', keep_masks=True),
]
