"""Clips per second of a data pipeline, and the time of each transform.

The pipeline of a config runs in this process, on one thread, and processor
time is counted. So other load on the machine does not change the result, and
waiting for a slow disk is not included.
"""
import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope

from mmrvos.registry import DATASETS
from mmrvos.utils import load_config

WARMUP = 5  # clips


def timed(transform: Callable, times: list[float]) -> Callable:
    """Wrap a transform so that it appends its processor time to a list."""

    def wrapper(results: dict) -> dict | None:
        start = time.process_time()
        results = transform(results)
        times.append(time.process_time() - start)
        return results

    return wrapper


def run(args: argparse.Namespace) -> None:
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    if f'{args.loader}_dataloader' not in cfg:
        raise ValueError(
            f'{args.config} has no {args.loader}_dataloader; choose another '
            '--loader')
    dataset = DATASETS.build(cfg[f'{args.loader}_dataloader'].dataset)
    times: dict[tuple[int, str], list[float]] = defaultdict(list)
    for part in getattr(dataset, 'datasets', [dataset]):
        part.full_init()
        part.pipeline.transforms = [
            timed(transform, times[index, type(transform).__name__])
            for index, transform in enumerate(part.pipeline.transforms)
        ]
    random.seed(args.seed)
    np.random.seed(args.seed)  # noqa: NPY002  the transforms use it
    chosen = [
        random.randrange(len(dataset)) for _ in range(WARMUP + args.num)
    ]
    for i in chosen[:WARMUP]:
        dataset[i]
    for entries in times.values():
        entries.clear()
    start, num_frames = time.process_time(), 0
    for i in chosen[WARMUP:]:
        num_frames += len(dataset[i]['inputs'])
    seconds = time.process_time() - start
    print(f'{args.num / seconds:.1f} clips per second of one core '
          f'({num_frames / args.num:.1f} frames each)')
    print(f'{"transform":36} ms per clip')
    for (index, name), entries in sorted(times.items()):
        print(f'{f"{index} {name}":36} {1e3 * sum(entries) / args.num:8.2f}')
    other = seconds - sum(map(sum, times.values()))
    print(f'{"annotations, other":36} {1e3 * other / args.num:8.2f}')
