"""The results of an evaluation as table, CSV, JSON and plots."""
import csv
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmrvos.utils.unfinished import replacing

from ..functional import (
    best_candidate,
    sequence_statistics,
    span_values,
    split_records,
)


def expression_rows(records: Sequence[dict]) -> list[dict[str, Any]]:
    """One row per expression, numbers in percent."""
    return [
        dict({key: r[key] for key in ('video_id', 'exp_id', 'type_id',
                                      'length')}, **_numbers(r))
        for r in records
    ]


def _numbers(record: dict) -> dict[str, float]:
    if 'ranked' in record:
        ranked = record['ranked']
        i = best_candidate(ranked.scores)
        both = int(ranked.intersections[i])
        union = int(ranked.areas[i]) + ranked.gt_area - both
        return {'IoU': 100 * both / union if union else 100.0,
                'score': float(ranked.scores[i])}
    if 'mask' in record:
        return {f'{name}IoU': 100 * both / either if either else 100.0
                for name, (both, either) in (('', record['mask']),
                                             ('box_', record['box']))}
    j, f = frame_values(record)
    row: dict[str, float] = {'frames': len(j)}
    for name, values in (('J', j), ('F', f)):
        statistics = sequence_statistics(values)
        row[name] = 100 * statistics.mean
        row[f'{name}-Recall'] = 100 * statistics.recall
        row[f'{name}-Decay'] = 100 * statistics.decay
    row['J&F'] = (row['J'] + row['F']) / 2
    row.update({name: 100 * float(np.mean(record[name]))
                for name in ('A', 'R') if name in record})
    if 'gt_present' in record:
        row['tIoU'], row['vIoU'] = (100 * v for v in span_values(record))
    return row


def frame_values(record: dict) -> tuple[np.ndarray, np.ndarray]:
    """J and F of a record's frames, (T,) each."""
    if 'object' in record:
        return record['object'].j, record['object'].f
    return record['J'], record['F']


def write_csv(path: Path, records: Sequence[dict]) -> None:
    rows = expression_rows(records)
    with replacing(path) as partial, partial.open(
            'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        for row in rows:
            writer.writerow({
                k: f'{v:.4f}' if isinstance(v, float) else v
                for k, v in row.items()
            })


def write_report(path: Path, head: dict, summary: dict[str, float],
               records: Sequence[dict], problems: Sequence[str]) -> None:
    """Write all results; the values of single frames are in [0, 1]."""
    rows = expression_rows(records)
    for row, record in zip(rows, records, strict=True):
        if 'J' in record or 'object' in record:
            j, f = frame_values(record)
            row['per_frame'] = dict(J=j.tolist(), F=f.tolist())
    content = dict(
        head,
        summary={k: None if np.isnan(v) else v for k, v in summary.items()},
        problems=list(problems),
        expressions=rows)
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=1), encoding='utf-8')


def table(summary: dict[str, float]) -> str:
    """Text: the numbers of the total, then one line per split."""
    totals = {k: v for k, v in summary.items() if '/' not in k}
    # a hard space keeps a name and its number on one line
    text = '  '.join(f'{k}\xa0{v:.2f}' for k, v in totals.items())
    lines = [line.replace('\xa0', ' ') for line in textwrap.wrap(
        text, 79, break_on_hyphens=False)]
    splits: dict[str, dict[str, float]] = {}
    for key, value in summary.items():
        measure, _, split = key.partition('/')
        if split:
            splits.setdefault(split, {})[measure] = value
    width = max(map(len, splits), default=0)
    lines += [
        f'{name:{width}}  ' + '  '.join(
            f'{k} {v:.2f}' for k, v in numbers.items())
        for name, numbers in splits.items()
    ]
    return '\n'.join(lines)


def plot(folder: Path, records: Sequence[dict]) -> list[Path]:
    """J&F over the frames and by split.

    Args:
        folder: is made.
        records: of expressions with values per frame.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / 'jf_over_frames.png']
    _plot_frames(written[0], _jf(records))
    parts = {name: _jf(part) for name, part in split_records(records)}
    if parts:
        written.append(folder / 'jf_by_split.png')
        _plot_splits(written[1], {'all': _jf(records), **parts})
    return written


def _jf(records: Sequence[dict]) -> list[np.ndarray]:
    """J&F of the records' frames in percent, (T,) each."""
    return [100 * sum(frame_values(r)) / 2 for r in records]


def _plot_frames(path: Path, sequences: Sequence[np.ndarray]) -> None:
    """Mean and quartiles per frame, over the videos that have this frame."""
    from matplotlib.figure import Figure  # slow to import, rarely wanted
    length = max(map(len, sequences))
    padded = np.full((len(sequences), length), np.nan)
    for row, values in zip(padded, sequences, strict=True):
        row[:len(values)] = values
    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.subplots()
    low, high = np.nanpercentile(padded, (25, 75), axis=0)
    frames = np.arange(length)
    axes.fill_between(frames, low, high, alpha=0.2, label='middle half')
    axes.plot(frames, np.nanmean(padded, axis=0), label='mean')
    axes.set(xlabel='frame', ylabel='J&F in percent', ylim=(0, 100))
    axes.legend()
    figure.savefig(path)


def _plot_splits(path: Path, groups: dict[str, list[np.ndarray]]) -> None:
    from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 0.4 * len(groups) + 1), layout='constrained')
    axes = figure.subplots()
    labels = [f'{name} ({len(s)})' for name, s in groups.items()]
    means = [np.mean([v.mean() for v in s]) for s in groups.values()]
    axes.bar_label(axes.barh(labels, means), fmt='%.1f', padding=2)
    axes.invert_yaxis()
    axes.set(xlabel='J&F in percent', xlim=(0, 108))
    figure.savefig(path)
