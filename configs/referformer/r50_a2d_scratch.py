# ReferFormer, ResNet-50, on A2D-Sentences without pre-training on still
# images: clips of 6 frames, no dropout in encoder and decoder, less weight
# decay.
#   bash tools/dist_train.sh configs/referformer/r50_a2d_scratch.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/a2d_sentences.py',
    './_base_/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(test_pad_size_divisor=32),
    encoder=dict(dropout=0.),
    decoder=dict(dropout=0.),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))

train_dataloader = dict(
    batch_size=1,
    dataset=dict(pipeline=[
        dict(
            type='SampleLocalGlobalFrames', num_frames=6, locate_key=True),
        *_base_.train_pipeline[1:],
    ]))
val_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='SampleCentredFrames', num_frames=6),
        *_base_.test_pipeline[1:],
    ]))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
