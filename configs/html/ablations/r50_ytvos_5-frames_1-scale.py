# Table 5 (i): clips of 5 frames at one scale, which is ReferFormer. The paper
# has ReferFormer's own result, of clips of local and global frames.
#   bash tools/dist_train.sh \
#       configs/html/ablations/r50_ytvos_5-frames_1-scale.py 8
# Paper: J&F 55.6 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(num_scales=1)
num_frames = 5
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
