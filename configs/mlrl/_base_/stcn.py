# The network of STCNPropagator, for the check of its converted weights:
#   python tools/model_converters/official_to_mmrvos.py stcn stcn.pth \
#       checkpoints/stcn.pth --config configs/_base_/models/stcn.py
model = dict(type='STCN')
