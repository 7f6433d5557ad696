"""How fast clips are loaded, and which step of the pipeline takes the time.

Runs the training (or validation) pipeline of a config in this one process, on
one thread, and counts processor time: what else runs on the machine does not
change it, and waiting for a slow disk is not in it. LoadFrames is the decoding
that no other step should exceed.
"""
import argparse
import random
import time
from collections import defaultdict

import cv2
import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmrvos.registry import DATASETS
from mmrvos.utils import clear_errors, load_config


class Timed:
    """A transform that adds its time to a table."""

    def __init__(self, transform, name: str, table: dict) -> None:
        self.transform = transform
        self.name = name
        self.table = table

    def __call__(self, results: dict) -> dict | None:
        start = time.process_time()
        results = self.transform(results)
        self.table[self.name].append(time.process_time() - start)
        return results


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('--loader', choices=['train', 'val', 'test'],
                        default='train')
    parser.add_argument('--num', type=int, default=200, help='clips')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    return parser.parse_args()


@clear_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    if f'{args.loader}_dataloader' not in cfg:
        raise ValueError(
            f'{args.config} has no {args.loader}_dataloader; choose another '
            '--loader')
    dataset = DATASETS.build(cfg[f'{args.loader}_dataloader'].dataset)
    table: dict[str, list[float]] = defaultdict(list)
    for part in getattr(dataset, 'datasets', [dataset]):
        part.full_init()
        steps = part.pipeline.transforms
        part.pipeline.transforms = [
            Timed(step, f'{k} {type(step).__name__}', table)
            for k, step in enumerate(steps)
        ]
    random.seed(args.seed)
    np.random.seed(args.seed)  # noqa: NPY002  the transforms use it
    chosen = [random.randrange(len(dataset)) for _ in range(args.num + 5)]
    for i in chosen[:5]:  # warm-up
        dataset[i]
    for times in table.values():
        times.clear()
    start, frames = time.process_time(), 0
    for i in chosen[5:]:
        frames += len(dataset[i]['inputs'])
    seconds = time.process_time() - start
    print(f'{args.num / seconds:.1f} clips per second of one core '
          f'({frames / args.num:.1f} frames each)')
    print(f'{"step":36} ms per clip')
    steps = 0.
    for name in sorted(table, key=lambda n: int(n.split()[0])):
        times = table[name]
        steps += sum(times)
        print(f'{name:36} {1e3 * sum(times) / args.num:8.2f}')
    print(f'{"annotations and the rest":36} '
          f'{1e3 * (seconds - steps) / args.num:8.2f}')


if __name__ == '__main__':
    main()
