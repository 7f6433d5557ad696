"""Numbers of a dataset from the records of its expressions.

A record is a dict of one expression: ``video_id``, ``exp_id``, ``type_id`` and
``length`` (None where the dataset has no such mark), and the measured values.
Results are percent; variances, which scale with the square, are times 10^4.
"""
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .sequence import (
    PRECISION_THRESHOLDS,
    precision_at,
    temporal_iou,
    temporal_variance,
    video_iou,
)

SPLITS = ('type_id', 'length')


def split_records(
    records: Sequence[dict],
    split_by: Sequence[str] = SPLITS
) -> Iterator[tuple[str, list[dict]]]:
    """Split records by the values of their marks.

    Yields:
        The value of a mark, and the records with this value. If two marks have
        a value in common, it is called ``mark=value`` for the second mark.
    """
    seen: set[str] = set()
    for mark in split_by:
        values = {r[mark] for r in records if r[mark] is not None}
        for value in sorted(values, key=str):
            name = str(value) if str(value) not in seen else f'{mark}={value}'
            seen.add(str(value))
            yield name, [r for r in records if r[mark] == value]


def with_splits(summarise: Callable[[Sequence[dict]], dict[str, float]],
                records: Sequence[dict],
                split_by: Sequence[str] = SPLITS,
                headline: Sequence[str] | None = None) -> dict[str, float]:
    """Compute the total and ``measure/split`` for every value of every mark.

    Args:
        summarise: computes the numbers of some records.
        records: of all expressions.
        split_by: marks to split by, see :func:`split_records`.
        headline: measures to report per split; None for all.
    """
    summary = dict(summarise(records))
    for name, part in split_records(records, split_by):
        summary.update({
            f'{key}/{name}': number
            for key, number in summarise(part).items()
            if headline is None or key in headline
        })
    return summary


def _percent(values: Sequence[float]) -> float:
    """Mean of the values that are not NaN, in percent; NaN if there is none.
    """
    known = [v for v in values if not np.isnan(v)]
    return 100 * float(np.mean(known)) if known else float('nan')


def region_contour_summary(records: Sequence[dict]) -> dict[str, float]:
    """Compute J, F and J&F: the mean over frames, then over expressions.

    Args:
        records: with ``J`` and ``F``, (T,) each.
    """
    j = _percent([np.mean(r['J']) for r in records])
    f = _percent([np.mean(r['F']) for r in records])
    return {'J&F': (j + f) / 2, 'J': j, 'F': f}


def precision_summary(
    records: Sequence[dict],
    thresholds: Sequence[float] = PRECISION_THRESHOLDS
) -> dict[str, float]:
    """Compute Precision@K in both readings.

    ``P@K`` is the share of expressions whose mean J is above K (the text of
    MLRL), ``frame_P@K`` the share of all frames of all expressions.

    Args:
        records: with ``J``, (T,).
        thresholds: K.
    """
    samples = precision_at([np.mean(r['J']) for r in records], thresholds)
    frames = precision_at(
        np.concatenate([r['J'] for r in records]), thresholds)
    return {
        **{f'P@{k:g}': 100 * v for k, v in samples.items()},
        **{f'frame_P@{k:g}': 100 * v for k, v in frames.items()}
    }


def stability_summary(records: Sequence[dict]) -> dict[str, float]:
    """Compute temporal stability: the variance over the frames of an
    expression, averaged over expressions; lower is better.

    ``_present`` leaves out the frames without a target: their J is 0 or 1 and
    dominates the variance.

    Args:
        records: with ``J``, ``F`` and ``gt_present``, (T,) each.
    """
    summary = {}
    for name, values in (
        ('J', [r['J'] for r in records]),
        ('J&F', [(r['J'] + r['F']) / 2 for r in records])):
        present = [v[r['gt_present']]
                   for v, r in zip(values, records, strict=True)]
        for suffix, sequences in (('', values), ('_present', present)):
            summary[f'var_{name}{suffix}'] = 100 * _percent(
                [temporal_variance(v) for v in sequences])
    return summary


def span_summary(records: Sequence[dict]) -> dict[str, float]:
    """Compute tIoU and vIoU (Long-RVOS), averaged over expressions.

    Args:
        records: with ``J``, ``pred_present`` and ``gt_present``, (T,) each,
            and optionally ``failed``: the expression counts 0.
    """
    values = [span_values(r) for r in records]
    return {
        name: _percent([v[i] for v in values])
        for i, name in enumerate(('tIoU', 'vIoU'))
    }


def span_values(record: dict) -> tuple[float, float]:
    """tIoU and vIoU of one expression, in [0, 1]."""
    if record.get('failed'):
        return 0.0, 0.0
    pred, gt = record['pred_present'], record['gt_present']
    return temporal_iou(pred, gt), video_iou(record['J'], pred, gt)


def target_summary(records: Sequence[dict]) -> dict[str, float]:
    """Measure whether predictions exist exactly where targets do.

    ``T_acc``: share of the expressions with a target in some frame that mark
    anything; ``N_acc``: share of the expressions without a target that mark
    nothing, as gRefCOCO measures images. A measure without expressions is left
    out.

    Args:
        records: with ``gt_present`` and ``pred_present``, (T,) each, and
            optionally ``failed``: the expression counts 0.
    """
    truth = np.array([r['gt_present'].any() for r in records], dtype=bool)
    guess = np.array([r['pred_present'].any() for r in records], dtype=bool)
    failed = np.array([r.get('failed', False) for r in records], dtype=bool)
    correct = (truth == guess) & ~failed
    return {
        name: _percent(correct[chosen])
        for name, chosen in (('T_acc', truth), ('N_acc', ~truth))
        if chosen.any()
    }
