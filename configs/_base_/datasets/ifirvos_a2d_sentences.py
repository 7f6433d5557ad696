# A2D-Sentences as IFIRVOS trains on it: clips of six frames, one a GPU.
_base_ = ['./a2d_sentences.py', './ifirvos_augmentation.py']
num_frames = 6

train_pipeline = [
    dict(
        type='SampleLocalGlobalFrames',
        num_frames=num_frames,
        locate_key=True),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks'),
    *_base_.ifirvos_augmentation,
]
test_pipeline = [
    dict(type='SampleCentredFrames', num_frames=num_frames),
    *_base_.test_pipeline[1:],
]

train_dataloader = dict(batch_size=1, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
