# SOC, Video-Swin-B, fine-tuned on A2D-Sentences (Table 2, "With Image
# Pretrain") with a constant rate. The official README states 3e-5, its config
# file 5e-5. The classifier starts anew, as in the official code.
#   bash tools/dist_train.sh configs/soc/video-swin-b_a2d.py 8
# Paper: mAP 57.3.
_base_ = [
    './_base_/soc_video-swin-t.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/a2d_sentences.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
load_from = 'checkpoints/soc_video-swin-b_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])

train_dataloader = dict(batch_size=1)
optim_wrapper = dict(optimizer=dict(lr=5e-5))
train_cfg = dict(max_epochs=20)
param_scheduler = []
# The best epoch by mAP is kept as well, as in the official code.
default_hooks = dict(checkpoint=dict(save_best='a2d/mAP', rule='greater'))
