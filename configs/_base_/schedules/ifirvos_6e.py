# IFIRVOS's fine-tuning (paper 4.2): half of ReferFormer's learning rate, a
# fifth of that for image and text encoder. Weight decay, gradient clipping and
# the number of GPUs are not in the paper: they are ReferFormer's.
_base_ = './adamw_6e.py'

optim_wrapper = dict(
    optimizer=dict(lr=5e-5),
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=0.2),
            'text_encoder.model': dict(lr_mult=0.2),
        }))
