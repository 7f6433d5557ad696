# Table 6c: kernels of the finer scale on features of the coarser.
_base_ = './r50_ytvos.py'
model = dict(direction='fine_to_coarse')
