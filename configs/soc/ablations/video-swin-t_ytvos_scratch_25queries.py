# Table 6: 25 queries per frame and per video.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_25queries.py 8
# Paper: J&F 58.5 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(decoder=dict(num_queries=25))
