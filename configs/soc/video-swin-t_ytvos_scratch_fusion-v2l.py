# Table 4: only the words are fused.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(fusion=dict(language_to_vision=False))
