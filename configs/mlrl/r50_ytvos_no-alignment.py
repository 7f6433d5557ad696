# Table 3: without alignment, every pixel gets the mean of the words.
_base_ = './r50_ytvos.py'
model = dict(alignment=dict(dynamic=False))
