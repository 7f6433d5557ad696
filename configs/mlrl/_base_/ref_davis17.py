# Ref-DAVIS17 as MLRL is fine-tuned on it, with the clips of Ref-YouTube-VOS.
# Only the expressions of annotators who saw the full video are used, in
# training and testing (section 4.1).
data_root = 'data/ref-davis/'
num_frames = 12

train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks', all_objects=True),
    dict(type='ClipFlip', prob=0.5),
    dict(type='ClipResize', short_sides=240, longest=432, backend='torch'),
    dict(type='CheckValid'),
    dict(type='PackRVOSInputs'),
]
test_pipeline = [
    dict(type='SampleAllFrames'),
    dict(type='LoadFrames'),
    dict(type='ClipResize', short_sides=240, longest=432),
    dict(type='PackRVOSInputs', keep_masks=True),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='RefDAVIS17Dataset',
        data_root=data_root,
        ann_file='meta_expressions/train/meta_expressions.json',
        annotators='full_video',
        data_prefix=dict(img='train/JPEGImages', mask='train/Annotations'),
        num_frames=num_frames,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='RefDAVIS17Dataset',
        data_root=data_root,
        ann_file='meta_expressions/valid/meta_expressions.json',
        annotators='full_video',
        data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
        lower_case=False,  # as the official inference
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='RefDAVISMetric', protocol='unsupervised')
test_evaluator = val_evaluator
