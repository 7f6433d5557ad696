# Table 4: only the pixels are fused.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_fusion-l2v.py 8
# Paper: J&F 58.7 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(fusion=dict(vision_to_language=False))
