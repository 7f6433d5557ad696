"""Are mmcv's compiled ops there, and with CUDA where a GPU is?"""
import sys

import torch

try:
    import mmcv.ops
except ImportError as error:
    sys.exit(f'mmcv was installed without its compiled ops ({error})')

cuda = mmcv.ops.get_compiling_cuda_version()
if torch.cuda.is_available() and cuda == 'not available':
    sys.exit('mmcv.ops has no CUDA kernels although this machine has a GPU')
print(f'mmcv {mmcv.__version__} with compiled ops, CUDA: {cuda}')
