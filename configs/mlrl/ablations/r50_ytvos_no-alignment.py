# Table 3: without alignment, so without any words: all sentences of a video
# get the same mask (Fig. 5).
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_no-alignment.py 4
# Paper: J 36.23, F 40.40.
_base_ = '../r50_ytvos.py'
model = dict(alignment=None)
find_unused_parameters = True  # nothing reads the text encoder
