# Figure 3: trained on the longer half of each object's expressions.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_long.py 8
_base_ = '../r50_ytvos.py'
train_dataloader = dict(dataset=dict(expression_subset='long'))
