# Fine-tuning on Ref-DAVIS17 (Table 4, without propagation). Weights of
# r50_ytvos.py tested here are the paper's "pretraining only".
_base_ = './r50_ytvos.py'
load_from = 'checkpoints/mlrl_r50_ytvos.pth'
model = dict(
    test_cfg=dict(postprocessor=dict(_delete_=True, type='MergeObjects')))

data_root = 'data/ref-davis/'
train_dataloader = dict(
    dataset=dict(type='RefDAVIS17Dataset', data_root=data_root))
val_dataloader = dict(
    dataset=dict(
        type='RefDAVIS17Dataset', data_root=data_root, exclude_file=None))
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True, type='RefDAVISMetric', protocol='unsupervised')
test_evaluator = val_evaluator
