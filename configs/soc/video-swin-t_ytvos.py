# Fine-tuning on Ref-YouTube-VOS (Table 1, "With Image Pretrain"). The official
# README says 25 epochs and a trained text model, its script and config file
# what is here.
_base_ = './video-swin-t_ytvos_scratch.py'
load_from = 'checkpoints/soc_video-swin-t_refcoco-pretrain.pth'
# the classifier starts anew, as officially
load_cfg = dict(drop=[r'head\.class_branches\..*'])

train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[10], gamma=0.1, by_epoch=True)
]
