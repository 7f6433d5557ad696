# Table 4: only the words are fused.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_fusion-v2l.py 8
# Paper: J&F 39.8 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(fusion=dict(language_to_vision=False))
