"""Evaluation of predictions on disk, from any program."""
