"""How fast the evaluation is, beside one that works as the official code does.

    python tools/analysis_tools/benchmark_eval.py

Both read the same PNGs and print the same numbers (a difference above 1e-12 is
an error). The plain one holds float64 label maps of the whole sequence and a
map per object, and computes boundaries and dilations anew for every pair, as
the DAVIS evaluation does. Each runs in a fresh process of one thread, so that
time and peak memory are its own; compare the ratio, not the seconds, on a
machine that does other things as well.
"""
import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 480, 854


# ---------------------------------------------------- the plain implementation


def plain_evaluation(pred: Path, gt: Path) -> tuple[float, float]:
    """Mean J and F over the objects of one sequence, matched."""
    from scipy.optimize import linear_sum_assignment
    names = sorted(p.name for p in gt.glob('*.png'))
    truth, void = _plain_objects(gt, names)
    guess, _ = _plain_objects(pred, names)
    if len(guess) < len(truth):
        empty = np.zeros((len(truth) - len(guess), *truth.shape[1:]))
        guess = np.concatenate([guess, empty])
    j = np.zeros((len(guess), len(truth), len(names)))
    f = np.zeros_like(j)
    for i in range(len(guess)):
        for k in range(len(truth)):
            j[i, k] = plain_region(truth[k], guess[i], void)
            f[i, k] = plain_contour(truth[k], guess[i], void)
    score = (j.mean(-1) + f.mean(-1)) / 2
    rows, columns = linear_sum_assignment(-score)
    return (float(j[rows, columns].mean(-1).mean()),
            float(f[rows, columns].mean(-1).mean()))


def _plain_objects(folder: Path,
                   names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(N, T, H, W) bool objects and (T, H, W) bool void pixels."""
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


def plain_region(gt: np.ndarray, pred: np.ndarray,
                 void: np.ndarray) -> np.ndarray:
    gt, pred = gt.astype(bool), pred.astype(bool)
    both = np.sum(gt & pred & ~void, axis=(-2, -1))
    either = np.sum((gt | pred) & ~void, axis=(-2, -1))
    with np.errstate(divide='ignore', invalid='ignore'):
        j = both / either
    j[either == 0] = 1
    return j


def plain_contour(gt: np.ndarray, pred: np.ndarray,
                  void: np.ndarray) -> np.ndarray:
    import cv2
    height, width = gt.shape[-2:]
    radius = ceil(0.008 * np.linalg.norm((height, width)))
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    disk = (x**2 + y**2 <= radius**2).astype(np.uint8)
    f = np.zeros(len(gt))
    for t in range(len(gt)):
        ours = _plain_boundary(pred[t] & ~void[t])
        theirs = _plain_boundary(gt[t] & ~void[t])
        near_ours = cv2.dilate(ours.astype(np.uint8), disk)
        near_theirs = cv2.dilate(theirs.astype(np.uint8), disk)
        num_ours, num_theirs = ours.sum(), theirs.sum()
        if num_ours == 0 or num_theirs == 0:
            f[t] = float(num_ours == num_theirs)
            continue
        precision = (ours * near_theirs).sum() / num_ours
        recall = (theirs * near_ours).sum() / num_theirs
        if precision + recall:
            f[t] = 2 * precision * recall / (precision + recall)
    return f


def _plain_boundary(mask: np.ndarray) -> np.ndarray:
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


# --------------------------------------------------------------------- ours


def our_evaluation(root: Path, workers: int = 1) -> Callable:
    """The same by the code behind ``eval_masks.py``, for any number of
    sequences."""
    from mmrvos.evaluation.functional import davis_totals
    from mmrvos.evaluation.offline.ground_truth import load_davis17
    from mmrvos.evaluation.offline.predictions import PredictionFiles
    from mmrvos.evaluation.offline.scoring import LabelMapScorer, score_all

    def run() -> tuple[float, float]:
        scorer = LabelMapScorer(
            PredictionFiles(root / 'pred'), load_davis17(root / 'gt'),
            'unsupervised')
        objects = [record['object'] for scored in score_all(scorer, workers)
                   for record in scored.records]
        totals = davis_totals(objects)
        return totals['J-Mean'], totals['F-Mean']

    return run


# ------------------------------------------------------------ what is measured
# Each takes the folder and returns what is to be timed, imports done.


def plain_task(root: Path) -> Callable:
    import cv2  # noqa: F401
    import scipy.optimize  # noqa: F401
    (sequence, ) = (root / 'gt').iterdir()
    return lambda: plain_evaluation(root / 'pred' / sequence.name, sequence)


def _masks(root: Path) -> tuple[np.ndarray, np.ndarray]:
    (sequence, ) = (root / 'gt').iterdir()
    names = sorted(p.name for p in sequence.iterdir())
    return tuple(
        np.stack([np.array(Image.open(folder / n)) == 1 for n in names])
        for folder in (root / 'pred' / sequence.name, sequence))


def plain_functions(root: Path) -> Callable:
    pred, gt = _masks(root)
    void = np.zeros_like(gt)
    return lambda: (float(plain_region(gt, pred, void).mean()),
                    float(plain_contour(gt, pred, void).mean()))


def our_functions(root: Path) -> Callable:
    from mmrvos.evaluation.functional import (
        contour_accuracy,
        region_similarity,
    )
    pred, gt = _masks(root)
    void = np.zeros_like(gt)
    return lambda: (float(region_similarity(pred, gt, void).mean()),
                    float(contour_accuracy(pred, gt, void).mean()))


def _measure(queue: multiprocessing.Queue, task: Callable, root: Path,
             repeats: int) -> None:
    """Runs in a process of its own."""
    import cv2
    cv2.setNumThreads(1)
    run = task(root)
    best = float('inf')
    for _ in range(repeats):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    queue.put((best, peak, result))


def measure(task: Callable, root: Path,
            repeats: int = 1) -> tuple[float, float, tuple[float, float]]:
    """CPU seconds (the best of some runs), peak GiB and the numbers."""
    context = multiprocessing.get_context('spawn')
    queue = context.Queue()
    process = context.Process(
        target=_measure, args=(queue, task, root, repeats))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(
            f'{task.__name__} ended with status {process.exitcode}: out of '
            'memory? fewer --frames need less')
    return queue.get()


def make_sequence(root: Path, name: str, num_objects: int,
                  num_frames: int) -> None:
    """Objects that move and change their form; a prediction that is a little
    off, with its labels in another order."""
    import cv2
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
            off = outline + rng.normal(0, 6, outline.shape)
            cv2.fillPoly(gt, [outline.astype(np.int32)], k + 1)
            cv2.fillPoly(pred, [off.astype(np.int32)], int(order[k]))
        if t % 10 == 0:
            gt[:12, :40] = 255
        for folder, labels in (('gt', gt), ('pred', pred)):
            image = Image.fromarray(labels, mode='P')
            image.putpalette(bytes(range(256)) * 3)
            image.save(root / folder / name / f'{t:05d}.png')


def scale(root: Path, workers: int, repeats: int) -> tuple[float, float]:
    """Seconds on the clock and CPU seconds of all processes together. On a
    busy machine only the latter says whether more processes waste work."""
    run = our_evaluation(root, workers)
    wall, cpu = [], []
    for _ in range(repeats):
        clock, times = time.perf_counter(), os.times()
        run()
        wall.append(time.perf_counter() - clock)
        cpu.append(sum(os.times()[:4]) - sum(times[:4]))
    return min(wall), min(cpu)


def compare(title: str, plain: tuple, ours: tuple) -> None:
    (slow, much, expected), (fast, little, got) = plain, ours
    print(f'{title:28} {slow:7.2f} s {much:5.2f} GiB   {fast:7.2f} s '
          f'{little:5.2f} GiB   {slow / fast:6.1f} x')
    difference = np.abs(np.subtract(expected, got)).max()
    if difference > 1e-12:
        sys.exit(f'{title}: the numbers differ by {difference}')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=200)
    parser.add_argument('--objects', type=int, nargs='+', default=[1, 3])
    parser.add_argument('--repeats', type=int, default=3, help='best of')
    parser.add_argument(
        '--workers', type=int, nargs='*', default=[1, 2],
        help='processes to try on 8 sequences')
    args = parser.parse_args()
    print(f'{args.frames} frames of {HEIGHT} x {WIDTH}, CPU time and peak '
          'memory of one process')
    print(f'{"":28} {"plain":>9} {"":10} {"ours":>11}')
    with tempfile.TemporaryDirectory() as folder:
        for number in args.objects:
            root = Path(folder) / str(number)
            make_sequence(root, 'sequence', number, args.frames)
            compare(f'from PNG, {number} object(s)',
                    measure(plain_task, root),
                    measure(our_evaluation, root, args.repeats))
        compare('J and F functions, 1 object',
                measure(plain_functions, root, args.repeats),
                measure(our_functions, root, args.repeats))
        root = Path(folder) / 'many'
        for i in range(8 if args.workers else 0):
            make_sequence(root, f'sequence{i}', 2, args.frames // 2)
        first = None
        for workers in args.workers:
            wall, cpu = scale(root, workers, args.repeats)
            first = first or wall
            print(f'8 sequences, {workers} process(es): {wall:.2f} s, '
                  f'{first / wall:.2f} x ({os.cpu_count()} CPUs), {cpu:.2f} s '
                  'CPU time in all')


if __name__ == '__main__':
    main()
