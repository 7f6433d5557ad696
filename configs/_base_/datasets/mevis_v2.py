# MeViS v2: the files of v1 in another folder, with sentences that have no
# target. T_acc and N_acc are our reading, see docs/evaluation.md.
_base_ = './mevis.py'
data_root = 'data/mevis_v2/'

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader

val_evaluator = dict(type='MeViSMetric', extras=['target'])
test_evaluator = val_evaluator
