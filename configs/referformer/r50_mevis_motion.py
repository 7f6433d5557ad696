# r50_mevis.py with a temporal mixer and a motion loss, which are ours and not
# in the paper. Not trained. Clips are 8 consecutive frames, because the kernel
# of the mixer counts frames: training and testing need the same frame step.
#   bash tools/dist_train.sh configs/referformer/r50_mevis_motion.py 8
_base_ = [
    '../_base_/models/referformer_r50.py',
    '../_base_/datasets/mevis.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/default_runtime.py',
]
load_from = 'checkpoints/referformer_r50_refcoco-pretrain.pth'
load_cfg = dict(
    drop=[r'head\.class_branches\..*', r'^temporal\.', r'^motion_head\.'])
model = dict(
    temporal=dict(type='TemporalMixer'),
    motion_head=dict(type='MotionHead', loss_weight=2.))

num_frames = 8
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    dict(type='LoadFrames'),
    dict(type='LoadClipMasks', all_objects=True),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
