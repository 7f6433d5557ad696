# HTML, Video-Swin-B, on A2D-Sentences (Table 3). Only the annotated frame is
# decoded: the scales differ in the frames around it that the backbone sees.
#   bash tools/dist_train.sh configs/html/video-swin-b_a2d.py 8
# Paper: mAP 56.7 on A2D-Sentences.
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/backbones/video-swin-b.py',
    './_base_/a2d_sentences.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_.video_swin_b,
    type='HTML',
    data_preprocessor=dict(test_pad_size_divisor=32),
    test_cfg=dict(postprocessor=dict(type='RankQueries')))
load_from = 'checkpoints/referformer_video-swin-b_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
auto_scale_lr = dict(base_batch_size=16)  # 8 GPUs x 2
