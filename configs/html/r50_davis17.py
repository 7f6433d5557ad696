# For testing weights of r50_ytvos.py on Ref-DAVIS17, as ReferFormer does.
_base_ = '../referformer/r50_davis17.py'
load_from = 'checkpoints/html_r50_ytvos.pth'
model = dict(type='HTML')
