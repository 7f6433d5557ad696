# Table 6: 10 queries per frame and per video.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_10queries.py 8
# Paper: J&F 58.0 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(decoder=dict(num_queries=10))
