# HTML whose mask losses have the total weight of training with one scale;
# without the key, three scales have 5.3 times that weight. Ours: the paper has
# no such row.
#   bash tools/dist_train.sh \
#       configs/html/ablations/r50_ytvos_equal-mask-weight.py 8
_base_ = '../r50_ytvos.py'
model = dict(equal_mask_weight=True)
