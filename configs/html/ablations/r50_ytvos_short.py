# Figure 3: trained on the shorter half of each object's expressions.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_short.py 8
_base_ = '../r50_ytvos.py'
train_dataloader = dict(dataset=dict(expression_subset='short'))
