# Table 6c: kernels of the finer scale on features of the coarser one.
#   bash tools/dist_train.sh \
#       configs/html/ablations/r50_ytvos_fine-to-coarse.py 8
# Paper: J&F 56.9 on Ref-YouTube-VOS.
_base_ = '../r50_ytvos.py'
model = dict(direction='fine_to_coarse')
