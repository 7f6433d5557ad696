# HTML whose decoder relates the queries of the frames of a scale, with the
# layer of IFIRVOS. Ours: the paper has no such row.
#   bash tools/dist_train.sh configs/html/ablations/r50_ytvos_inter-frame.py 8
_base_ = '../r50_ytvos.py'
model = dict(decoder=dict(inter_frame=dict(type='InterFrameLayer')))
load_cfg = dict(
    drop=[r'head\.class_branches\..*', r'decoder\.inter_frame\..*'])
