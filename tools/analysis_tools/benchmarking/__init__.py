"""The measurements of ``benchmark.py``, one module per subcommand, and the
reference computations that some of them compare with."""
