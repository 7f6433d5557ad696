# Table 4: only the pixels are fused.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(fusion=dict(vision_to_language=False))
