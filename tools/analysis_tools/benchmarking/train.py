"""Time and peak memory of training iterations of one or more configs.

Every config trains on the same synthetic clips in a process of its own. The
processes take turns, one iteration each, so that all are slowed down alike by
other load. An iteration is forward, backward and optimiser step; loading is
not included. Ratios are relative to the first row.

--checkpointing adds a row with model.checkpointing=True for each config, and
--naive one that computes as the official implementations do (see
reference_inference.py).
"""
import argparse
import copy
import statistics
import time
from contextlib import nullcontext
from multiprocessing.connection import Connection

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmrvos.registry import MODELS
from mmrvos.utils import load_config, without_downloads

from .meter import clock, device_of, peak_memory
from .reference_inference import reference_layers
from .synthetic import SENTENCE, make_clip
from .turns import serve, take_turns


def work(cfg: Config, args: argparse.Namespace, naive: bool,
         connection: Connection) -> None:
    """Train in a process of its own; a turn is (seconds, CPU seconds).

    Args:
        naive: compute as the official implementations do.
    """
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    init_default_scope('mmrvos')
    device = device_of(args.device)
    model = MODELS.build(cfg.model).to(device).train()
    model.init_weights()
    if naive:
        cfg.optim_wrapper.optimizer.pop('fused', None)
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    clips = [
        make_clip(args.frames, args.size, args.sentences)
        for _ in range(args.batch_size)
    ]
    inputs, samples = (list(x) for x in zip(*clips, strict=True))
    now = clock(device)

    def iteration() -> tuple[float, float]:
        start, cpu_start = now(), time.process_time()
        model.train_step(
            dict(inputs=inputs, data_samples=samples), optim_wrapper)
        return now() - start, time.process_time() - cpu_start

    with reference_layers(model) if naive else nullcontext():
        serve(connection, sum(p.numel() for p in model.parameters()),
              iteration, lambda: peak_memory(device))


def rows(args: argparse.Namespace) -> dict[str, tuple[Config, bool]]:
    """Return the config of each row, and whether it is the naive one."""
    configs = {}
    for path in args.configs:
        cfg = load_config(path, args.cfg_options)
        without_downloads(cfg.model, SENTENCE.split())
        configs[path] = cfg, False
        if args.checkpointing:
            light = copy.deepcopy(cfg)
            light.model.checkpointing = True
            configs[f'{path}, checkpointing'] = light, False
        if args.naive:
            configs[f'{path}, naive'] = cfg, True
    return configs


def run(args: argparse.Namespace) -> None:
    measured = take_turns(
        {
            name: (work, (cfg, args, naive))
            for name, (cfg, naive) in rows(args).items()
        }, args.warmup + args.iters)
    print(f'{args.batch_size} clip(s) of {args.frames} frames of '
          f'{args.size[0]} x {args.size[1]}, {args.sentences} sentence(s) '
          f'each; median of {args.iters} iterations')
    print(f'{"config":60} {"params":>8} {"s/iter":>8} {"min":>8} {"max":>8} '
          f'{"CPU s":>8} {"ratio":>6} {"GiB":>7} {"ratio":>6}')
    first = next(iter(measured.values()))
    for name, row in measured.items():
        (times, cpu), (_, first_cpu) = (
            zip(*m.turns[args.warmup:], strict=True) for m in (row, first))
        median = statistics.median(times)
        ratio = statistics.median(
            own / base for own, base in zip(cpu, first_cpu, strict=True))
        print(f'{name:60} {row.ready / 1e6:7.1f}M '
              f'{median:8.3f} {min(times):8.3f} {max(times):8.3f} '
              f'{statistics.median(cpu):8.3f} {ratio:6.2f} {row.end:7.2f} '
              f'{row.end / first.end:6.2f}')
