"""Time and peak memory of computing J and F, compared with the official way.

Both implementations read the same PNGs of synthetic sequences and must give
the same numbers: a difference above 1e-12 is an error. The reference works as
the official DAVIS evaluation does (see reference_evaluation.py). Each runs in
a process of its own, on one thread, and CPU seconds are measured: they hardly
depend on other load.

Whole commands, from the start of Python to the CSV, are compared as well.
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from mmrvos.evaluation.functional import (
    contour_accuracy,
    davis_totals,
    region_similarity,
)
from mmrvos.evaluation.metrics import RefDAVISMetric
from mmrvos.evaluation.offline.benchmarks import benchmark_dataset, make_scorer
from mmrvos.evaluation.offline.scoring import score_all

from . import reference_evaluation as reference
from .meter import peak_memory
from .turns import serve, take_turns

HEIGHT, WIDTH = 480, 854
EVAL_MASKS = Path(__file__).parents[1] / 'eval_masks.py'
CPU = torch.device('cpu')
Scores = tuple[float, float]  # mean J and F


def score_files(root: Path, workers: int = 1) -> Scores:
    """Score all sequences of a folder from their PNGs."""
    scorer = make_scorer(
        benchmark_dataset('davis17', root / 'gt'), RefDAVISMetric(),
        root / 'pred')
    totals = davis_totals([
        record['object'] for scored in score_all(scorer, workers)
        for record in scored.records
    ])
    return totals['J-Mean'], totals['F-Mean']


def score_files_reference(root: Path) -> Scores:
    """Score the only sequence of a folder from its PNGs."""
    sequence, = (root / 'gt').iterdir()
    return reference.davis_scores(root / 'pred' / sequence.name, sequence)


def score_arrays(root: Path) -> Callable[[], Scores]:
    """Read one object; return a function that scores it."""
    pred, gt = read_masks(root)
    void = np.zeros_like(gt)
    return lambda: (float(region_similarity(pred, gt, void).mean()),
                    float(contour_accuracy(pred, gt, void).mean()))


def score_arrays_reference(root: Path) -> Callable[[], Scores]:
    pred, gt = read_masks(root)
    void = np.zeros_like(gt)
    return lambda: (float(reference.region_similarity(gt, pred, void).mean()),
                    float(reference.contour_accuracy(gt, pred, void).mean()))


def read_masks(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read predicted and true (T, H, W) bool masks of object 1."""
    sequence, = (root / 'gt').iterdir()
    names = sorted(path.name for path in sequence.iterdir())
    return tuple(
        np.stack([np.array(Image.open(folder / n)) == 1 for n in names])
        for folder in (root / 'pred' / sequence.name, sequence))


# {what is measured: (our implementation, reference)}; each takes the folder
# and returns the function to measure
TASKS = {
    'from PNG': (lambda root: lambda: score_files(root),
                 lambda root: lambda: score_files_reference(root)),
    'J and F functions': (score_arrays, score_arrays_reference),
}


def work(task: str, index: int, root: Path, connection: Connection) -> None:
    """Measure one implementation of a task in a process of its own."""
    cv2.setNumThreads(1)
    function = TASKS[task][index](root)

    def turn() -> tuple[float, Scores]:
        start = time.process_time()
        scores = function()
        return time.process_time() - start, scores

    serve(connection, peak_memory(CPU), turn, lambda: peak_memory(CPU))


def measure(task: str, index: int, root: Path,
            repeat: int) -> tuple[float, float, float, Scores]:
    """Return CPU seconds of the fastest run, GiB at the peak, GiB before the
    first run, and the scores."""
    measured = take_turns({task: (work, (task, index, root))}, repeat)[task]
    seconds, scores = min(measured.turns)
    return seconds, measured.end, measured.ready, scores


def compare(title: str, task: str, root: Path, repeat: int) -> None:
    """Print one row of the table.

    The reference runs once, since a run from PNG takes long.
    """
    rows = [measure(task, 0, root, repeat), measure(task, 1, root, 1)]
    check_scores(title, *(scores for *_, scores in rows))
    (fast, *_), (slow, *_) = rows
    cells = ''.join(f'{seconds:8.2f} s {peak:6.2f} ({before:.2f}) GiB'
                    for seconds, peak, before, _ in rows)
    print(f'{title:30}{cells}{slow / fast:8.1f}')


def compare_commands(title: str, root: Path, repeat: int) -> None:
    """Print the row of the whole commands, which take turns."""
    sequence, = (path.name for path in (root / 'gt').iterdir())
    commands = (
        (EVAL_MASKS, root / 'pred', '--gt', root / 'gt', '--dataset',
         'davis17', '--csv'),
        (reference.__file__, root / 'pred' / sequence, root / 'gt' / sequence))
    tables = root / 'ours.csv', root / 'reference.csv'
    turns = [[run_command([*command, table])
              for command, table in zip(commands, tables, strict=True)]
             for _ in range(repeat)]
    # a CSV has four decimals of a percentage
    check_scores(title, *map(mean_scores, tables), tolerance=1e-6)
    fast, slow = (min(runs) for runs in zip(*turns, strict=True))
    print(f'{title:30}{fast:8.2f} s{slow:26.2f} s{slow / fast:24.1f}')


def run_command(arguments: list[str | Path]) -> float:
    """Run a Python program and return its CPU seconds.

    Raises:
        ChildProcessError: its exit status is not 0.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ, OMP_NUM_THREADS='1'))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise ChildProcessError(
            f'{" ".join(map(str, arguments))} ended with exit status '
            f'{process.returncode}: run it alone to see why')
    return usage.ru_utime + usage.ru_stime


def mean_scores(table: Path) -> Scores:
    """Average the percentages J and F over the rows of a CSV."""
    with table.open(newline='') as file:
        rows = list(csv.DictReader(file))
    return tuple(sum(float(row[name]) for row in rows) / len(rows) / 100
                 for name in ('J', 'F'))


def check_scores(title: str,
                 ours: Scores,
                 expected: Scores,
                 tolerance: float = 1e-12) -> None:
    difference = np.abs(np.subtract(ours, expected)).max()
    if difference > tolerance:
        sys.exit(f'{title}: J and F {ours} differ from the reference '
                 f'{expected} by {difference}')


def scale(root: Path, workers: int, repeat: int) -> tuple[float, float]:
    """Return seconds of a clock and CPU seconds of all processes.

    On a busy machine only the CPU seconds tell what more processes cost.
    """
    seconds, cpu_seconds = [], []
    for _ in range(repeat):
        start, before = time.perf_counter(), sum(os.times()[:4])
        score_files(root, workers)
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(sum(os.times()[:4]) - before)
    return min(seconds), min(cpu_seconds)


def make_sequence(root: Path, name: str, num_objects: int,
                  num_frames: int) -> None:
    """Write annotations and predictions of one sequence.

    Objects move and change their form. Predicted outlines are noisy, and the
    labels of the predictions are permuted.
    """
    rng = np.random.default_rng(0)
    corners = rng.uniform(0.5, 1, (num_objects, 24))
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    order = rng.permutation(num_objects) + 1
    for folder in ('gt', 'pred'):
        (root / folder / name).mkdir(parents=True)
    for t in range(num_frames):
        gt = np.zeros((HEIGHT, WIDTH), np.uint8)
        pred = np.zeros_like(gt)
        for k in range(num_objects):
            centre = (WIDTH * (k + 1) / (num_objects + 1) +
                      60 * np.sin(t / 20 + k), HEIGHT / 2 +
                      80 * np.cos(t / 15 + k))
            radius = 130 * corners[k] * (1 + 0.2 * np.sin(t / 10 + angles))
            outline = np.stack([centre[0] + radius * np.cos(angles),
                                centre[1] + radius * np.sin(angles)], 1)
            noisy = outline + rng.normal(0, 6, outline.shape)
            cv2.fillPoly(gt, [outline.astype(np.int32)], k + 1)
            cv2.fillPoly(pred, [noisy.astype(np.int32)], int(order[k]))
        if t % 10 == 0:
            gt[:12, :40] = 255
        for folder, labels in (('gt', gt), ('pred', pred)):
            image = Image.fromarray(labels, mode='P')
            image.putpalette(bytes(range(256)) * 3)
            image.save(root / folder / name / f'{t:05d}.png')


def run(args: argparse.Namespace) -> None:
    print(f'{args.frames} frames of {HEIGHT} x {WIDTH}: CPU seconds, peak '
          'memory and memory before the first run of one process')
    print(f'{"":30}{"ours":>18}{"reference":>28}{"ratio":>16}')
    with tempfile.TemporaryDirectory() as folder:
        for number in args.objects:
            root = Path(folder) / str(number)
            make_sequence(root, 'sequence', number, args.frames)
            compare(f'from PNG, {number} object(s)', 'from PNG', root,
                    args.repeat)
            compare_commands(f'whole command, {number} object(s)', root,
                             args.repeat)
        compare('J and F functions, 1 object', 'J and F functions', root,
                args.repeat)
        root = Path(folder) / 'many'
        for i in range(8 if args.workers else 0):
            make_sequence(root, f'sequence{i}', 2, args.frames // 2 or 1)
        first = None
        for workers in args.workers:
            seconds, cpu_seconds = scale(root, workers, args.repeat)
            first = first or seconds
            print(f'8 sequences, {workers} process(es): {seconds:.2f} s, '
                  f'{first / seconds:.2f} x ({os.cpu_count()} CPUs), '
                  f'{cpu_seconds:.2f} s CPU time of all processes')
