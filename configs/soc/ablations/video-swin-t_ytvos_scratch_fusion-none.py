# Table 4: no fusion of pixels and words before the decoder.
#   bash tools/dist_train.sh \
#       configs/soc/ablations/video-swin-t_ytvos_scratch_fusion-none.py 8
# Paper: J&F 38.3 on Ref-YouTube-VOS.
_base_ = '../video-swin-t_ytvos_scratch.py'
model = dict(
    fusion=dict(language_to_vision=False, vision_to_language=False))
