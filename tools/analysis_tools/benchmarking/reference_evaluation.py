"""J and F of DAVIS sequences, computed as the official evaluation does.

It holds float64 label maps of the whole sequence and one map per object, and
computes boundaries and dilations anew for every pair of objects.

    python reference_evaluation.py PRED GT CSV

scores one sequence and writes its mean J and F. The official script imports
pandas and scikit-image as well, which this one does not need.
"""
import csv
import sys
from math import ceil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment


def davis_scores(pred: Path, gt: Path) -> tuple[float, float]:
    """Compute the mean J and F over the objects of one sequence.

    Predicted objects are matched with annotated ones, as in the unsupervised
    DAVIS task.

    Args:
        pred, gt: folders of the sequence's label maps, PNG.
    """
    names = sorted(p.name for p in gt.glob('*.png'))
    truth, void = read_objects(gt, names)
    guess, _ = read_objects(pred, names)
    if len(guess) < len(truth):
        empty = np.zeros((len(truth) - len(guess), *truth.shape[1:]))
        guess = np.concatenate([guess, empty])
    j = np.zeros((len(guess), len(truth), len(names)))
    f = np.zeros_like(j)
    for i in range(len(guess)):
        for k in range(len(truth)):
            j[i, k] = region_similarity(truth[k], guess[i], void)
            f[i, k] = contour_accuracy(truth[k], guess[i], void)
    score = (j.mean(-1) + f.mean(-1)) / 2
    rows, columns = linear_sum_assignment(-score)
    return (float(j[rows, columns].mean(-1).mean()),
            float(f[rows, columns].mean(-1).mean()))


def read_objects(folder: Path,
                   names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read (N, T, H, W) bool objects and (T, H, W) bool void pixels."""
    first = np.array(Image.open(folder / names[0]))
    labels = np.zeros((len(names), *first.shape))
    for t, name in enumerate(names):
        labels[t] = np.array(Image.open(folder / name))
    void = labels == 255
    labels[void] = 0
    number = int(labels.max())
    ids = np.ones((number, *labels.shape))
    ids *= np.arange(1, number + 1)[:, None, None, None]
    return (ids == labels[None]) > 0, void


def region_similarity(gt: np.ndarray, pred: np.ndarray,
                      void: np.ndarray) -> np.ndarray:
    """Compute J of each frame, (T,), from (T, H, W) masks."""
    gt, pred = gt.astype(bool), pred.astype(bool)
    both = np.sum(gt & pred & ~void, axis=(-2, -1))
    either = np.sum((gt | pred) & ~void, axis=(-2, -1))
    with np.errstate(divide='ignore', invalid='ignore'):
        j = both / either
    j[either == 0] = 1
    return j


def contour_accuracy(gt: np.ndarray, pred: np.ndarray,
                     void: np.ndarray) -> np.ndarray:
    """Compute F of each frame, (T,), from (T, H, W) masks."""
    height, width = gt.shape[-2:]
    radius = ceil(0.008 * np.linalg.norm((height, width)))
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    disk = (x**2 + y**2 <= radius**2).astype(np.uint8)
    f = np.zeros(len(gt))
    for t in range(len(gt)):
        pred_boundary = boundary(pred[t] & ~void[t])
        gt_boundary = boundary(gt[t] & ~void[t])
        near_pred = cv2.dilate(pred_boundary.astype(np.uint8), disk)
        near_gt = cv2.dilate(gt_boundary.astype(np.uint8), disk)
        num_pred, num_gt = pred_boundary.sum(), gt_boundary.sum()
        if num_pred == 0 or num_gt == 0:
            f[t] = float(num_pred == num_gt)
            continue
        precision = (pred_boundary * near_gt).sum() / num_pred
        recall = (gt_boundary * near_pred).sum() / num_gt
        if precision + recall:
            f[t] = 2 * precision * recall / (precision + recall)
    return f


def boundary(mask: np.ndarray) -> np.ndarray:
    """Return the pixels that differ from their right, lower or lower right
    neighbour."""
    right, lower = np.zeros_like(mask), np.zeros_like(mask)
    corner = np.zeros_like(mask)
    right[:, :-1] = mask[:, 1:]
    lower[:-1] = mask[1:]
    corner[:-1, :-1] = mask[1:, 1:]
    edges = (mask ^ right) | (mask ^ lower) | (mask ^ corner)
    edges[-1] = mask[-1] ^ right[-1]
    edges[:, -1] = mask[:, -1] ^ lower[:, -1]
    edges[-1, -1] = False
    return edges


if __name__ == '__main__':
    cv2.setNumThreads(1)
    pred, gt, table = map(Path, sys.argv[1:])
    with table.open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['J', 'F'])
        writer.writerow([100 * score for score in davis_scores(pred, gt)])
