"""Pixel accuracy and robustness (ReVOS)."""
import numpy as np


def pixel_accuracy(pred: np.ndarray, target: np.ndarray) -> float:
    """A of ReVOS: the share of pixels at which two arrays are equal.

    Args:
        pred, target: (H, W) uint8. The official scripts compare values, so
            0 and 255 against 0 and 1 agree on the background only.
    """
    return float(np.mean(pred == target))


def robustness(pred: np.ndarray, target: np.ndarray,
               foreground: float) -> float:
    """R of ReVOS: how little of the foreground is marked falsely.

    ``1 - false / foreground``, not below 0. If the frame has no foreground it
    is 1 without false pixels, else 0.

    Args:
        pred: (H, W) uint8. A false pixel weighs its value.
        target: (H, W) uint8, how many objects of the target cover a pixel.
            The official code multiplies in 8 bits, so 2 objects weigh
            ``255 * pred % 256`` although the pixel is not false.
        foreground: pixels that any expression of the video is about.
    """
    false = ((np.uint8(1) - target) * pred).sum(dtype=np.int64)
    return max(1 - float(false) / (foreground + 1e-6), 0.0)
