# Table 6: 15 queries per frame and per video.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_15queries.py 8
# Paper: J&F 58.1 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(decoder=dict(num_queries=15))
