# Table 4, baseline to the letter: "without the inter-frame interaction module
# and the vision-language interaction module", so without any early fusion.
# Pre-training of r50_ytvos_no-fusion.py.
#   bash tools/dist_train.sh \
#       configs/ifirvos/ablations/r50_refcoco-pretrain_no-fusion.py 8
_base_ = '../r50_refcoco-pretrain.py'
model = dict(
    fusion=dict(_delete_=True, type='NoFusion'),
    decoder=dict(inter_frame=None))
