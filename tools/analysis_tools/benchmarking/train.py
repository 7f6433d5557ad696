"""Time and peak memory of training iterations of one or more configs.

Every config trains on the same synthetic clips in a process of its own. The
processes take turns, one iteration each, so that all are slowed down alike by
other load. An iteration is forward, backward and optimiser step; loading is
not included. Ratios are relative to the first config.
"""
import argparse
import statistics
from multiprocessing.connection import Connection

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmrvos.registry import MODELS
from mmrvos.utils import load_config, without_downloads

from .meter import clock, device_of, peak_memory
from .synthetic import SENTENCE, make_clip
from .turns import serve, take_turns


def work(cfg: Config, args: argparse.Namespace,
         connection: Connection) -> None:
    """Train in a process of its own."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    init_default_scope('mmrvos')
    device = device_of(args.device)
    model = MODELS.build(cfg.model).to(device).train()
    model.init_weights()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    clips = [
        make_clip(args.frames, args.size, args.sentences)
        for _ in range(args.batch_size)
    ]
    inputs, samples = (list(x) for x in zip(*clips, strict=True))
    now = clock(device)

    def iteration() -> float:
        start = now()
        model.train_step(
            dict(inputs=inputs, data_samples=samples), optim_wrapper)
        return now() - start

    serve(connection, sum(p.numel() for p in model.parameters()), iteration,
          lambda: peak_memory(device))


def run(args: argparse.Namespace) -> None:
    cfgs = [load_config(path, args.cfg_options) for path in args.configs]
    for cfg in cfgs:
        without_downloads(cfg.model, SENTENCE.split())
    measured = take_turns(
        {
            path: (work, (cfg, args))
            for path, cfg in zip(args.configs, cfgs, strict=True)
        }, args.warmup + args.iters)
    print(f'{args.batch_size} clip(s) of {args.frames} frames of '
          f'{args.size[0]} x {args.size[1]}, {args.sentences} sentence(s) '
          f'each; median of {args.iters} iterations')
    print(f'{"config":44} {"params":>8} {"s/iter":>8} {"min":>8} {"max":>8} '
          f'{"ratio":>6} {"GiB":>7} {"ratio":>6}')
    seconds = {path: m.turns[args.warmup:] for path, m in measured.items()}
    first = args.configs[0]
    for path, times in seconds.items():
        median = statistics.median(times)
        ratio = median / statistics.median(seconds[first])
        peak = measured[path].end
        print(f'{path:44} {measured[path].ready / 1e6:7.1f}M '
              f'{median:8.3f} {min(times):8.3f} {max(times):8.3f} '
              f'{ratio:6.2f} {peak:7.2f} '
              f'{peak / measured[first].end:6.2f}')
