# Fine-tuning on A2D-Sentences (Table 2, "With Image Pretrain"), one rate to
# the end. The official README says 3e-5, its config file 5e-5.
_base_ = './video-swin-t_a2d_scratch.py'
load_from = 'checkpoints/soc_video-swin-t_refcoco-pretrain.pth'
# the classifier starts anew, as officially
load_cfg = dict(drop=[r'head\.class_branches\..*'])

train_dataloader = dict(batch_size=1)
train_cfg = dict(max_epochs=20)
param_scheduler = []
auto_scale_lr = dict(base_batch_size=8)  # 8 GPUs x 1
