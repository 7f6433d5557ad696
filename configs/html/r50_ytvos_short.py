# Figure 3: trained on the shorter half of each object's expressions.
_base_ = './r50_ytvos.py'
train_dataloader = dict(dataset=dict(expression_subset='short'))
