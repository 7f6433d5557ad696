# Joint training of SOC: every RefCOCO/+/g sentence as a clip of altered copies
# of its image, and Ref-YouTube-VOS; put one after the other, not balanced.
_base_ = './soc_youtube_vos.py'
image_train_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    dict(type='ImageToClip', num_frames=_base_.num_frames),
    *_base_.augmentation,
]

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        ignore_keys=['classes'],
        datasets=[
            *[
                dict(
                    type='RefCOCODataset',
                    data_root='data/coco/',
                    ann_file=f'{name}/instances_{name}_train.json',
                    data_prefix=dict(img='train2014'),
                    lower_case=False,
                    pipeline=image_train_pipeline)
                for name in ('refcoco', 'refcoco+', 'refcocog')
            ],
            _base_.train_dataloader.dataset,
        ]))
