# The network of STCNPropagator, to check its converted weights:
#   python tools/model_converters/official_to_mmrvos.py stcn stcn.pth \
#       checkpoints/stcn.pth --config configs/mlrl/_base_/stcn.py
model = dict(type='STCN')
