# RefCOCO, RefCOCO+ and RefCOCOg as SOC pre-trains on them: at one scale.
_base_ = './refcoco.py'
train_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipResize', short_sides=360, longest=640, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]

train_dataloader = dict(
    batch_size=8,
    dataset=dict(datasets=[
        dict(dataset, pipeline=train_pipeline)
        for dataset in _base_.train_dataloader.dataset.datasets
    ]))
