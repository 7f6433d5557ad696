# Figure 3: trained on the longer half of each object's expressions.
_base_ = './r50_ytvos.py'
train_dataloader = dict(dataset=dict(expression_subset='long'))
