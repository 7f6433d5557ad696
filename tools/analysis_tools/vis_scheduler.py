"""Plot the learning rates of a config over its training.

    vis_scheduler.py configs/referformer/r50_ytvos.py --out lr.png
    vis_scheduler.py configs/referformer/r50_ytvos.py --steps-per-epoch 1500

Each line is one group of parameters: those of an entry of custom_keys, and all
others. The schedulers and the optimizer are those of MMEngine's Runner; no
model is built. The number of steps per epoch follows from the training data
set, unless --steps-per-epoch gives it.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mmrvos.utils import KeyValueAction, check_output_file, clear_errors

if TYPE_CHECKING:
    from mmengine.config import Config

OTHERS = 'other parameters'


def count_steps(cfg: Config, processes: int) -> int:
    """Count the steps of an epoch from the training data set.

    Raises:
        ValueError: an epoch has no step.
    """
    from mmrvos.registry import DATASETS
    loader = cfg.train_dataloader
    size = -(-len(DATASETS.build(loader.dataset)) // processes)
    steps = (size // loader.batch_size if loader.get('drop_last') else
             -(-size // loader.batch_size))
    if not steps:
        raise ValueError(
            f'an epoch has no step: {size} samples per process, batches of '
            f'{loader.batch_size}')
    return steps


def make_optimizer(cfg: Config):
    """Build the optimizer of a config with one parameter per group.

    Returns:
        The torch optimizer, and the names of its groups: the entries of
        ``custom_keys`` and all others.
    """
    import torch
    from mmengine.registry import OPTIMIZERS
    options = cfg.optim_wrapper.optimizer.to_dict()
    keys = (cfg.optim_wrapper.get('paramwise_cfg')
            or {}).get('custom_keys', {})
    rates = {
        name: options['lr'] * given.get('lr_mult', 1.)
        for name, given in keys.items()
    }
    rates[OTHERS] = options['lr']
    options['params'] = [
        dict(params=[torch.nn.Parameter(torch.zeros(2))], lr=rate)
        for rate in rates.values()
    ]
    return OPTIMIZERS.build(options), list(rates)


def learning_rates(cfg: Config,
                   steps: int) -> tuple[list[int], dict[str, list[float]]]:
    """Compute the learning rates of all iterations.

    Args:
        cfg: the config.
        steps: per epoch.

    Returns:
        Iterations, and {group: learning rates at the iterations}. Of a long
        training, some thousand iterations are returned.
    """
    from mmengine.registry import PARAM_SCHEDULERS
    optimizer, names = make_optimizer(cfg)
    total = cfg.train_cfg.get('max_iters') or cfg.train_cfg.max_epochs * steps
    epochs = cfg.train_cfg.get('max_epochs') or -(-total // steps)
    configs = cfg.get('param_scheduler') or []
    schedulers = []
    for scheduler in [configs] if isinstance(configs, dict) else configs:
        scheduler = dict(scheduler)
        # as in MMEngine's Runner
        scheduler.setdefault(
            'end', epochs if scheduler.get('by_epoch', True) else total)
        schedulers.append(
            PARAM_SCHEDULERS.build(
                scheduler,
                default_args=dict(optimizer=optimizer, epoch_length=steps)))
    # torch warns about schedulers that step before their optimizer
    optimizer.step()
    every = max(1, total // 4000)
    iterations: list[int] = []
    rates: dict[str, list[float]] = {name: [] for name in names}
    for iteration in range(total):
        if iteration % every == 0 or iteration == total - 1:
            iterations.append(iteration)
            for name, group in zip(names, optimizer.param_groups,
                                   strict=True):
                rates[name].append(group['lr'])
        ends_epoch = (iteration + 1) % steps == 0
        for scheduler in schedulers:
            if not scheduler.by_epoch or ends_epoch:
                scheduler.step()
    return iterations, rates


def stages_of(cfg: Config) -> list[tuple[int, str]]:
    """List the first epoch and the name of each stage of the training."""
    for hook in cfg.get('custom_hooks', []):
        if hook.type == 'TrainingStagesHook':
            starts, epoch = [], 0
            for stage in hook.stages:
                starts.append((epoch, stage.stage))
                epoch += stage.epochs
            return starts
    return []


def plot(title: str, iterations: list[int], rates: dict[str, list[float]],
         steps: int, stages: list[tuple[int, str]]):
    """Draw the rates; stages of the training are vertical lines.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure  # slow to import
    figure = Figure(figsize=(8, 4.5), layout='constrained')
    axes = figure.subplots()
    for name, values in rates.items():
        axes.plot(iterations, values, label=name)
    for epoch, name in stages:
        axes.axvline(epoch * steps, color='grey', linewidth=0.8, ls=':')
        axes.annotate(name, (epoch * steps, 0.99), fontsize=8, rotation=90,
                      xycoords=('data', 'axes fraction'), va='top',
                      xytext=(2, 0), textcoords='offset points')
    axes.set(xlabel=f'iteration ({steps} per epoch)', ylabel='learning rate')
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(rates) > 1:
        axes.legend()
    return figure


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('learning_rate.png'),
        metavar='FILE',
        help='picture, .png, .svg or .pdf (default: %(default)s)')
    parser.add_argument(
        '--steps-per-epoch',
        type=int,
        metavar='N',
        help='iterations of an epoch; without this option the training data '
        'set is read')
    parser.add_argument(
        '--processes',
        type=int,
        default=1,
        metavar='N',
        help='of the training, which share the data set (default: '
        '%(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValueAction,
        metavar='KEY=VALUE',
        help='change values of the config')
    args = parser.parse_args()
    if args.processes < 1 or (args.steps_per_epoch or 1) < 1:
        parser.error('--processes and --steps-per-epoch are at least 1')
    if args.out.suffix not in ('.png', '.svg', '.pdf'):
        parser.error(f'--out {args.out}: expected .png, .svg or .pdf')
    return args


@clear_errors
def main() -> None:
    args = parse_args()
    check_output_file(args.out)
    from mmengine.registry import init_default_scope

    from mmrvos.utils import load_config
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('mmrvos')
    if 'train_cfg' not in cfg or 'optim_wrapper' not in cfg:
        raise ValueError(f'{args.config} has no training (train_cfg and '
                         'optim_wrapper)')
    steps = args.steps_per_epoch or count_steps(cfg, args.processes)
    iterations, rates = learning_rates(cfg, steps)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    plot(args.config, iterations, rates, steps,
         stages_of(cfg)).savefig(args.out)
    for name, values in rates.items():
        print(f'{name}: {values[0]:.3g} at first, {max(values):.3g} at most, '
              f'{values[-1]:.3g} at last')
    print(f'{iterations[-1] + 1} iterations: {args.out}')


if __name__ == '__main__':
    main()
