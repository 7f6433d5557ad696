"""Evaluation of predictions on disk, whatever made them."""
