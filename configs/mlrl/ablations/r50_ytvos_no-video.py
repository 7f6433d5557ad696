# Table 3: without the video level.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_no-video.py 4
# Paper: J 46.25, F 49.04.
_base_ = '../r50_ytvos.py'
model = dict(levels=dict(video=None))
