"""How each kind of golden case is run; see ``tests/test_golden.py``."""
