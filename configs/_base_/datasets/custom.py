# Your own data, converted by tools/dataset_converters/custom.py, with the
# pipelines and loaders of Ref-YouTube-VOS.
_base_ = './ref_youtube_vos.py'
data_root = 'data/custom/'

train_dataloader = dict(
    dataset=dict(type='OwnVideosDataset', data_root=data_root))
val_dataloader = dict(
    dataset=dict(
        type='OwnVideosDataset',
        data_root=data_root,
        exclude_file=None,  # all videos of the split
        lower_case=True))  # as in training
test_dataloader = val_dataloader
