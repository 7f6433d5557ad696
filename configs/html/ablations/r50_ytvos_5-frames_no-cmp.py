# Table 5 (ii): clips of 5 frames, no masks across scales.
#   bash tools/dist_train.sh \
#       configs/html/ablations/r50_ytvos_5-frames_no-cmp.py 8
# Paper: J&F 56.0 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(direction='none')
num_frames = 5
train_pipeline = [
    dict(type='SampleConsecutiveFrames', num_frames=num_frames),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(num_frames=num_frames, pipeline=train_pipeline))
