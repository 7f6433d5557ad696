# MLRL without attention to words: each pixel gets the mean of the words. Ours:
# milder than "w/o alignment" of the paper, r50_ytvos_no-alignment.py.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_mean-words.py 4
_base_ = '../r50_ytvos.py'
model = dict(alignment=dict(dynamic=False))
