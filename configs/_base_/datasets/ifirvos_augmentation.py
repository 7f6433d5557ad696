# IFIRVOS's clips: flipped, distorted, cropped, all at one size (paper 4.2).
size = dict(
    type='ClipResize', short_sides=360, longest=640, backend='torch')

ifirvos_augmentation = [
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipPhotometricDistort'),
    dict(
        type='RandomChoice',
        transforms=[
            [size],
            [
                dict(
                    type='ClipResize',
                    short_sides=[400, 500, 600],
                    backend='torch'),
                dict(type='ClipRandomCrop', min_size=384, max_size=600),
                size,
            ],
        ]),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
