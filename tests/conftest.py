"""Settings of the whole test suite."""
import os

if 'PYTEST_XDIST_WORKER' in os.environ:
    # One thread per worker: more would compete for the same cores. PyTorch
    # reads the variable when it is imported, after this file.
    os.environ.setdefault('OMP_NUM_THREADS', '1')
