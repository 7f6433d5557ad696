# HTML whose encoder relates the frames of a scale (section 3.1, read to the
# letter): attention across frames at each cell, after every encoder layer. The
# new layers start as the identity. Ours: the paper has no such row.
#   bash tools/dist_train.sh \
#       configs/html/ablations/r50_ytvos_frame-attention.py 8
_base_ = '../r50_ytvos.py'
model = dict(encoder=dict(inter_frame=dict(type='FrameAttention')))
load_cfg = dict(
    drop=[r'head\.class_branches\..*', r'encoder\.inter_frame\..*'])
