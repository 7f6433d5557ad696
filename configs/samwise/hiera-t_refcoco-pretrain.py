# SAMWISE, Hiera-T, pretrained on the images of RefCOCO, RefCOCO+, RefCOCOg,
# without memory, without attention across frames, without object scores.
#   bash tools/dist_train.sh configs/samwise/hiera-t_refcoco-pretrain.py 8
_base_ = [
    './_base_/samwise_hiera-b.py',
    './_base_/refcoco.py',
    './_base_/adamw_4e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    sam2=dict(
        arch='tiny',
        weights='facebook/sam2-hiera-tiny',
        object_scores=False),
    adapter=dict(selective=False),
    memory_decision=None,
    test_cfg=dict(
        window=1, postprocessor=dict(type='BestQuery', through_input=True)))
train_cfg = dict(max_epochs=6)
optim_wrapper = dict(
    optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=0.1))
auto_scale_lr = dict(base_batch_size=32)  # 8 GPUs x 4
