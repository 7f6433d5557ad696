# SOC, Video-Swin-T, fine-tuned on Ref-YouTube-VOS (Table 1, "With Image
# Pretrain"). The official README states 25 epochs and a trained text model,
# its script and config file the values here. The classifier starts anew, as in
# the official code.
#   bash tools/dist_train.sh configs/soc/video-swin-t_ytvos.py 8
# Paper: J&F 62.4 on Ref-YouTube-VOS, 63.5 on Ref-DAVIS17.
_base_ = [
    './_base_/soc_video-swin-t.py',
    './_base_/ref_youtube_vos.py',
    './_base_/adamw_30e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/soc_video-swin-t_refcoco-pretrain.pth'
load_cfg = dict(drop=[r'head\.class_branches\..*'])
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[10], gamma=0.1, by_epoch=True)
]
