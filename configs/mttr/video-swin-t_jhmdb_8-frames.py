# MTTR, Video-Swin-T: weights of video-swin-t_a2d_8-frames.py tested on
# JHMDB-Sentences.
#   bash tools/dist_test.sh \
#       configs/mttr/video-swin-t_jhmdb_8-frames.py CHECKPOINT 2
# Paper: mAP 36.6.
_base_ = './video-swin-t_jhmdb.py'
test_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='SampleCentredFrames', num_frames=8, middle=True),
        *_base_.test_pipeline[1:],
    ]))
