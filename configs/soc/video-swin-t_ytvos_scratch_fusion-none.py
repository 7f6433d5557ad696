# Table 4: pixels and words do not meet before the queries.
_base_ = './video-swin-t_ytvos_scratch.py'
model = dict(
    fusion=dict(language_to_vision=False, vision_to_language=False))
