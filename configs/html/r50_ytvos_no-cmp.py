# Tables 5 (v) and 6c: scales without masks across them.
_base_ = './r50_ytvos.py'
model = dict(direction='none')
