"""Merge, compare and match the label maps of a sequence (DAVIS-2017).

Protocols:

- ``unsupervised``: predicted objects are matched with true objects so that the
  sum of J&F is largest. All frames are scored, void pixels are not. The
  Ref-DAVIS17 script uses this protocol, so that two expressions whose masks
  are swapped lose nothing.
- ``fixed``: the same frames and void pixels, but label k is compared with
  label k.
- ``semi-supervised``: label k is compared with label k. The first and the last
  frame are not scored, and void pixels are background.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .label_maps import pairwise_jf, silhouettes
from .region_contour import BOUND_TH, Silhouette, contour, region
from .sequence import sequence_statistics

PROTOCOLS = ('unsupervised', 'fixed', 'semi-supervised')
VOID = 255
MAX_PREDICTIONS = 20


def merge_soft_masks(scores: np.ndarray,
                     threshold: float = 0.5) -> np.ndarray:
    """Merge the masks of K objects into one label map (Ref-DAVIS17).

    A pixel belongs to the object with the highest score if that score reaches
    the threshold (exactly 0.5 does). On a tie the first object wins. The
    official script computes the same with a background plane of 0.1 in front
    of scores that are set to 0 below 0.5.

    Args:
        scores: (K, ...) probabilities.

    Returns:
        (...) uint8, 0 background, k + 1 the k-th object.
    """
    best = scores.argmax(axis=0)
    highest = np.take_along_axis(scores, best[None], axis=0)[0]
    return np.where(highest >= threshold, best + 1, 0).astype(np.uint8)


def label_limit(protocol: str, num_objects: int) -> int:
    """The largest label that a protocol takes in a prediction."""
    return MAX_PREDICTIONS if protocol == 'unsupervised' else num_objects


@dataclass(frozen=True)  # MMEngine would make a tuple of a NamedTuple
class ObjectValues:
    """J and F of one object of a sequence."""
    pred_label: int
    gt_label: int
    j: np.ndarray  # (T,) of the scored frames
    f: np.ndarray


class LabelMapSequence:
    """Compare the label maps of one sequence, frame by frame.

    Args:
        num_objects: number of true objects, labels 1 to ``num_objects``. The
            official code takes the largest label of the FIRST frame: an object
            that appears later with a larger label is not evaluated.
        protocol: one of ``PROTOCOLS``.
        bound_th: tolerance of F.
    """

    def __init__(self,
                 num_objects: int,
                 protocol: str = 'unsupervised',
                 bound_th: float = BOUND_TH) -> None:
        if protocol not in PROTOCOLS:
            raise ValueError(
                f'protocol is {protocol!r}, expected one of {PROTOCOLS}')
        self.num_objects = num_objects
        self.protocol = protocol
        self.bound_th = bound_th
        # Per frame (2, labels + 1, M): J and F; the last row compares an empty
        # prediction.
        self._frames: list[np.ndarray] = []
        self._no_mask: Silhouette | None = None

    def add(self, pred: np.ndarray | None, gt: np.ndarray) -> None:
        """Compare one frame.

        Args:
            pred: (H, W) labels; None where there is no usable prediction,
                which counts 0 for every object, even if it is absent.
            gt: (H, W) labels, 255 void.

        Raises:
            ValueError: the sizes differ, or a label is larger than the
                protocol takes.
        """
        objects = range(1, self.num_objects + 1)
        if pred is None:
            self._frames.append(np.zeros((2, 1, self.num_objects)))
            return
        if pred.shape != gt.shape:
            raise ValueError(
                f'label map of size {pred.shape}, the ground truth has '
                f'{gt.shape}: write predictions at the original size')
        largest = int(pred.max(initial=0))
        matched = self.protocol == 'unsupervised'
        limit = label_limit(self.protocol, self.num_objects)
        if largest > limit:
            raise ValueError(
                f'label {largest} in a prediction, the {self.protocol} '
                f'protocol takes labels up to {limit}')
        void = None
        if self.protocol != 'semi-supervised' and gt.max(initial=0) == VOID:
            void = gt == VOID
        theirs = silhouettes(gt, objects, void, self.bound_th)
        if matched:
            ours = silhouettes(pred, range(1, largest + 1), void,
                               self.bound_th)
            self._frames.append(
                pairwise_jf([*ours, self._empty(pred.shape)], theirs))
        else:
            ours = silhouettes(pred, objects, void, self.bound_th)
            self._frames.append(
                np.array([[measure(a, b)
                           for a, b in zip(ours, theirs, strict=True)]
                          for measure in (region, contour)]))

    def _empty(self, shape: tuple[int, int]) -> Silhouette:
        """The prediction that marks nothing, made once per frame size."""
        if self._no_mask is None or self._no_mask.shape != shape:
            self._no_mask = Silhouette(
                np.zeros(shape, dtype=bool), None, self.bound_th)
        return self._no_mask

    def objects(self) -> list[ObjectValues]:
        """J and F of the objects, in the order of the predicted labels.

        Raises:
            ValueError: no frame is scored.
        """
        frames = self._frames
        if not self.num_objects:
            return []
        if self.protocol == 'semi-supervised':
            frames = frames[1:-1]
        if not frames:
            raise ValueError(
                f'no frame left to score under the {self.protocol} protocol')
        if self.protocol != 'unsupervised':
            values = np.stack([
                frame.reshape(2, -1)[:, -self.num_objects:]
                for frame in frames], axis=-1)
            return [ObjectValues(k + 1, k + 1, values[0, k], values[1, k])
                    for k in range(self.num_objects)]
        labels = max(self.num_objects, *(x.shape[1] - 1 for x in frames))
        # A frame with fewer labels takes the values of the empty prediction.
        rows = [[min(i, x.shape[1] - 1) for i in range(labels)]
                for x in frames]
        values = np.stack([x[:, row] for x, row in zip(
            frames, rows, strict=True)], axis=-1)
        return [ObjectValues(i + 1, k + 1, values[0, i, k], values[1, i, k])
                for i, k in match_objects(values)]


def match_objects(values: np.ndarray) -> list[tuple[int, int]]:
    """Assign predicted to true objects so that the sum of J&F is largest.

    Args:
        values: (2, n, m, T) J and F of every pair, n >= m.

    Returns:
        m pairs (predicted, true), by predicted object.
    """
    score = values.mean(axis=-1).mean(axis=0)
    best = score.argmax(axis=0)
    unique = (score == score.max(axis=0)).sum() == len(best)
    if unique and len(set(best.tolist())) == len(best):
        # Each true object has another best prediction, so the sum cannot be
        # larger. This saves the import of scipy, 0.3 s.
        return sorted((int(i), k) for k, i in enumerate(best))
    from scipy.optimize import linear_sum_assignment
    return [(int(i), int(k))
            for i, k in zip(*linear_sum_assignment(-score), strict=True)]


def davis_totals(objects: Sequence[ObjectValues]) -> dict[str, float]:
    """Average over all objects of all sequences, the seven DAVIS numbers.

    Raises:
        ValueError: there is no object.
    """
    if not objects:
        raise ValueError('no object to average over')
    totals = {}
    for name, values in (('J', [o.j for o in objects]),
                         ('F', [o.f for o in objects])):
        rows = np.array([sequence_statistics(v) for v in values])
        for column, measure in enumerate(('Mean', 'Recall', 'Decay')):
            totals[f'{name}-{measure}'] = float(rows[:, column].mean())
    return {'J&F-Mean': (totals['J-Mean'] + totals['F-Mean']) / 2, **totals}
