"""Plot losses and metrics of trainings, and print their last values.

    analyze_logs.py work_dirs/referformer/r50_ytvos --out curves.png
    analyze_logs.py work_dirs/a work_dirs/b --keys loss J\\&F --out compare.png

Each work dir is one line per plot. The runs of a work dir, such as a training
and its continuation by --resume, are joined: a later run replaces what an
earlier one wrote from its first step on. The values are those of scalars.json,
which LocalVisBackend writes.
"""
from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmrvos.utils import check_output_file, clear_errors

#: keys that say where a value belongs, and are no curves
PLACES = ('step', 'iter', 'epoch')
#: numbers about the run, which validation writes beside its metrics
TIMES = ('time', 'data_time', 'memory', 'lr', 'momentum')
#: metrics that are plotted by default, where a log has them
HEADLINES = ('J&F', 'J', 'F', 'hit', 'mAP', 'oIoU', 'mIoU')


@dataclass
class Curve:
    """Values of one key.

    Attributes:
        steps: of the values: iterations, or epochs in validation.
        values: the numbers.
        is_metric: whether validation wrote it.
    """
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    is_metric: bool = False


def scalar_files(work_dir: Path) -> list[Path]:
    """List the scalars.json of a work dir, one per run, in order of time.

    Raises:
        FileNotFoundError: there are none.
    """
    files = sorted(work_dir.glob('*/vis_data/scalars.json'))
    files += sorted(work_dir.glob('vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(
            f'{work_dir} has no <time>/vis_data/scalars.json: expected the '
            'work dir of a training')
    return files


def read_lines(path: Path) -> list[dict]:
    """Read a scalars.json, one JSON object per line.

    A last line without its end, as a killed run leaves it, is left out.

    Raises:
        ValueError: another line is no JSON object.
    """
    lines = path.read_text(encoding='utf-8').splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise ValueError(
                f'{path}, line {number}: no JSON ({error})') from None
        if not isinstance(record, dict):
            raise ValueError(f'{path}, line {number}: expected an object of '
                             'numbers by name')
        records.append(record)
    return records


def read_curves(work_dir: Path) -> dict[str, Curve]:
    """Read {key: curve} of all runs of a work dir.

    Raises:
        FileNotFoundError: it has no scalars.json, or they are empty.
    """
    curves: dict[str, Curve] = {}
    for path in scalar_files(work_dir):
        records = read_lines(path)
        for is_metric in (False, True):
            # validation writes no "iter"
            part = [r for r in records if ('iter' in r) != is_metric
                    and isinstance(r.get('step'), int)]
            if part:
                drop_from(curves, part[0]['step'], is_metric)
            for record in part:
                add(curves, record, is_metric)
    if not curves:
        raise FileNotFoundError(
            f'the scalars.json of {work_dir} are empty: the training has not '
            'logged anything yet')
    return curves


def drop_from(curves: dict[str, Curve], step: int, is_metric: bool) -> None:
    """Remove the values from a step on."""
    for curve in curves.values():
        if curve.is_metric == is_metric:
            kept = [i for i, s in enumerate(curve.steps) if s < step]
            curve.steps = [curve.steps[i] for i in kept]
            curve.values = [curve.values[i] for i in kept]


def add(curves: dict[str, Curve], record: dict, is_metric: bool) -> None:
    """Add the numbers of a record to their curves."""
    for key, value in record.items():
        if key in PLACES or isinstance(value, bool) or not isinstance(
                value, int | float):
            continue
        if is_metric and key in TIMES:
            continue  # the time of validation steps
        curve = curves.setdefault(key, Curve(is_metric=is_metric))
        curve.steps.append(record['step'])
        curve.values.append(float(value))


def short_name(key: str) -> str:
    """Remove the prefix of the metric class: 'ytvos/J&F' to 'J&F'."""
    return key.partition('/')[2] or key


def choose_keys(runs: Iterable[dict[str, Curve]],
                wanted: Sequence[str] | None) -> list[str]:
    """List the keys to plot.

    Args:
        runs: curves of all work dirs.
        wanted: names, with or without the prefix of the metric; None takes
            the sum of the losses and the metrics in ``HEADLINES``, or all
            keys if there are none of them.

    Raises:
        ValueError: a name is in no log.
    """
    known: dict[str, Curve] = {}
    for curves in runs:
        for key, curve in curves.items():
            known.setdefault(key, curve)
    if wanted is None:
        chosen = [key for key, curve in known.items()
                  if key == 'loss'
                  or curve.is_metric and short_name(key) in HEADLINES]
        return chosen or list(known)
    chosen = []
    for name in wanted:
        found = [key for key in known if name in (key, short_name(key))]
        if not found:
            raise ValueError(
                f'--keys {name}: no log has this key; the keys are '
                + ', '.join(sorted(map(short_name, known))))
        chosen += [key for key in found if key not in chosen]
    return chosen


def smooth(values: Sequence[float], window: int) -> np.ndarray:
    """Mean over the last ``window`` values, fewer at the start."""
    sums = np.cumsum([0., *values])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def plot(runs: dict[str, dict[str, Curve]], keys: Sequence[str],
         window: int):
    """Draw one plot per key with one line per work dir.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure  # slow to import
    columns = min(3, len(keys))
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(5 * columns, 3.4 * rows), layout='constrained')
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, key in zip(grid.flat, keys, strict=False):
        for number, (name, curves) in enumerate(runs.items()):
            curve = curves.get(key)
            if curve is None:
                continue
            marker = '.' if len(curve.steps) < 30 else None
            axes.plot(
                curve.steps,
                smooth(curve.values, 1 if curve.is_metric else window),
                label=name, color=f'C{number}', marker=marker)
            axes.set_xlabel('epoch' if curve.is_metric else 'iteration')
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(key, fontsize=10, parse_math=False)
        axes.grid(alpha=0.3)
        if len(runs) > 1:
            axes.legend(fontsize=8)
    for axes in grid.flat[len(keys):]:
        axes.remove()
    return figure


def table(runs: dict[str, dict[str, Curve]], keys: Sequence[str]) -> str:
    """Format the last and the best value of each key.

    The best value of a metric is its largest, of a loss its smallest.
    """
    rows = [('work dir', 'key', 'last', 'best', 'at')]
    for name, curves in runs.items():
        for key in keys:
            curve = curves.get(key)
            if curve is None or not curve.values:
                continue
            pick = np.nanargmax if curve.is_metric else np.nanargmin
            best = (None if np.isnan(curve.values).all() else
                    int(pick(curve.values)))
            unit = 'epoch' if curve.is_metric else 'iteration'
            rows.append((
                name, key, f'{curve.values[-1]:.4g}',
                '-' if best is None else f'{curve.values[best]:.4g}',
                '-' if best is None else f'{unit} {curve.steps[best]}'))
        if 'time' in curves and curves['time'].values:
            seconds = np.mean(curves['time'].values)
            rows.append((name, 'seconds per iteration', f'{seconds:.3f}', '',
                         ''))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join('  '.join(
        text.ljust(width) for text, width in zip(row, widths, strict=True)
    ).rstrip() for row in rows)


def names_of(folders: Sequence[Path]) -> list[str]:
    """Name work dirs by as few parts of their paths as tell them apart."""
    paths = [folder.resolve().parts for folder in folders]
    for count in range(1, max(map(len, paths)) + 1):
        names = ['/'.join(parts[-count:]) for parts in paths]
        if len(set(names)) == len(names):
            return names
    raise ValueError('a work dir is given twice')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'work_dirs',
        type=Path,
        nargs='+',
        metavar='WORK_DIR',
        help='work dir of a training; it holds <time>/vis_data/scalars.json')
    parser.add_argument(
        '--keys',
        nargs='+',
        metavar='KEY',
        help='what to plot, e.g. loss loss_mask lr J\\&F J\\&F/motion '
        '(default: the sum of the losses, J&F, J, F, mAP and IoU)')
    parser.add_argument(
        '--list', action='store_true', help='print all keys and stop')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE',
        help='picture of the curves, .png, .svg or .pdf (default: print the '
        'table only)')
    parser.add_argument(
        '--smooth',
        type=int,
        default=1,
        metavar='N',
        help='plot means over N logged values of losses (default: '
        '%(default)s, none)')
    args = parser.parse_args()
    if args.smooth < 1:
        parser.error(f'--smooth is {args.smooth}, expected 1 or more')
    if args.out and args.out.suffix not in ('.png', '.svg', '.pdf'):
        parser.error(f'--out {args.out}: expected .png, .svg or .pdf')
    return args


@clear_errors
def main() -> None:
    args = parse_args()
    if args.out:
        check_output_file(args.out)
    names = names_of(args.work_dirs)
    runs = {
        name: read_curves(folder)
        for name, folder in zip(names, args.work_dirs, strict=True)
    }
    if args.list:
        print('\n'.join(sorted({key for run in runs.values() for key in run})))
        return
    keys = choose_keys(runs.values(), args.keys)
    print(table(runs, keys))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        plot(runs, keys, args.smooth).savefig(args.out)
        print(f'curves: {args.out}')


if __name__ == '__main__':
    main()
