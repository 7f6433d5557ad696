"""Recipes of the configs beside those of the papers and the official code.

``tests/data/recipes.yml`` holds the published values. A test in
``tests/test_recipes.py`` compares every config with them, and
``docs/recipes.md`` shows them. After a change of the file, write the page
anew::

    python -m tests.recipes
"""
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config
from torch import nn

from .config_values import defaults

DATA = Path(__file__).parent / 'data' / 'recipes.yml'
PAGE = Path(__file__).parents[1] / 'docs' / 'recipes.md'
TITLES = dict(referformer='ReferFormer', mttr='MTTR', mutr='MUTR', soc='SOC',
              samwise='SAMWISE', ifirvos='IFIRVOS', html='HTML', mlrl='MLRL')

HEAD = """\
# Recipes

The numbers that the papers and the official code publish, by method. [`tests/data/recipes.yml`](../tests/data/recipes.yml) holds them with their sources. [`tests/test_recipes.py`](../tests/test_recipes.py) compares every config with its row, so a wrong number in a config is an error. `python -m tests.recipes` makes this page from the same file.

- Learning rates are those of the backbone, of the text model and of all other parts. "drops" are the epochs (or steps) before which they are multiplied, by 0.1 if no factor is given.
- "clips per step" are GPUs x clips per GPU.
- "size" is the short and the longest side of a frame in testing, "window" the number of frames decoded together.
- Values in italics are not published; they are chosen here. The README of a method gives the reasons.
"""  # noqa: E501


def read_recipes() -> tuple[dict[str, list[dict]], list[str]]:
    """Return the rows of each method, and patterns of configs without one."""
    content = yaml.safe_load(DATA.read_text())
    return content, content.pop('unpublished')


def find_rows(name: str, methods: dict[str, list[dict]]) -> list[dict]:
    """Return the rows that name a config, such as 'mlrl/r50_ytvos'."""
    method, _, rest = name.partition('/')
    return [row for row in methods[method]
            if any(fnmatch(rest, pattern) for pattern in row['configs'])]


def expected_values(name: str, row: dict) -> dict[str, Any]:
    """Return the values of a row for one of its configs."""
    skipped = ('recipe', 'configs', 'source', 'ours')
    values = {key: value for key, value in row.items() if key not in skipped}
    # <backbone>_<data>[_<setting>]
    backbone, *rest = name.split('/')[-1].split('_', 2)
    start = values.get('start')
    values['start'] = start and start.format(
        backbone=backbone, setting=rest[-1])
    return values


def dataset_of(loader: dict) -> dict:
    """Return the data set of a loader; of joint training the videos."""
    return loader.dataset.get('datasets', [loader.dataset])[-1]


def number_of_frames(dataset: dict) -> int | str:
    """Return the frames of a clip; 'all' for the frames of a video."""
    if dataset.type == 'RefCOCODataset':  # still images
        return 1
    step = dataset.pipeline[0]
    return step.get('num_frames',
                    defaults(step.type).get('num_frames', 'all'))


def recipe(cfg: Config, model: nn.Module) -> dict[str, Any]:
    """Collect the published part of a config's recipe.

    Args:
        cfg: the config.
        model: the model that it defines.

    Returns:
        The values under the names of ``recipes.yml``.
    """
    test = dataset_of(cfg.test_dataloader)
    resize, = (step for step in test.pipeline if step.type == 'ClipResize')
    values = dict(
        start=cfg.get('load_from'),
        test_frames=number_of_frames(test),
        window=model.test_cfg.window,
        size=[resize.short_sides, resize.get('longest')])
    if 'train_dataloader' not in cfg:
        return values
    optimizer = cfg.optim_wrapper.optimizer
    keys = cfg.optim_wrapper.get('paramwise_cfg', {}).get('custom_keys', {})

    def rate(key: str, part: nn.Module) -> float | str:
        if not any(p.requires_grad for p in part.parameters()):
            return 'frozen'
        return optimizer.lr * keys.get(key, {}).get('lr_mult', 1.)

    train = dataset_of(cfg.train_dataloader)
    batch = cfg.train_dataloader.batch_size
    return values | dict(
        epochs=cfg.train_cfg.max_epochs,
        drops=[[when if scheduler.by_epoch else f'{when} steps',
                scheduler.gamma] for scheduler in cfg.param_scheduler
               for when in scheduler.milestones],
        rates=[
            optimizer.lr,
            rate('backbone', model.backbone),
            rate('text_encoder.model', model.text_encoder.model)
        ],
        decay=optimizer.weight_decay,
        clip=cfg.optim_wrapper.clip_grad.max_norm,
        batch=[cfg.auto_scale_lr.base_batch_size // batch, batch],
        sampler=train.pipeline[0].type,
        frames=number_of_frames(train),
        losses=dict(model.head.loss_weights))


def write_page() -> str:
    """Return the content of docs/recipes.md."""
    methods, unpublished = read_recipes()
    parts = [HEAD]
    for method, title in TITLES.items():
        rows = methods[method]
        parts += [
            f'\n## {title}\n',
            table(('training', 'epochs, drops', 'rates', 'decay, clip',
                   'clips per step', 'frames', 'losses', 'starts from'),
                  map(training_cells, (r for r in rows if 'epochs' in r))),
            table(('testing', 'frames', 'window', 'size', 'source', 'configs'),
                  map(testing_cells, rows)),
        ]
    names = ', '.join(f'`{name}`' for name in unpublished)
    parts.append(f'\n## Configs without a published recipe\n\n{names}\n')
    return ''.join(parts)


def table(head: tuple[str, ...], rows: Any) -> str:
    """Return a Markdown table."""
    lines = [head, ('---', ) * len(head), *rows]
    return '\n' + '\n'.join(f'| {" | ".join(line)} |' for line in lines) + '\n'


def training_cells(row: dict) -> tuple[str, ...]:
    """Return the cells of a row of training."""

    def shown(key: str, text: str) -> str:
        return f'*{text}*' if key in row.get('ours', ()) else text

    drops = ', '.join(
        str(when) if factor == 0.1 else f'{when} (x {factor})'
        for when, factor in row['drops'])
    other, backbone, text = (
        rate if rate == 'frozen' else number(rate) for rate in row['rates'])
    rates = f'{backbone}, {text}, {other}'
    gpus, clips = row['batch']
    losses = ', '.join(
        f'{name} {weight:g}' for name, weight in row['losses'].items())
    return (
        row['recipe'],
        f"{shown('epochs', str(row['epochs']))}; "
        f"{shown('drops', drops or 'none')}",
        shown('rates', rates),
        f"{shown('decay', number(row['decay']))}, "
        f"{shown('clip', format(row['clip'], 'g'))}",
        shown('batch', f'{gpus} x {clips}'),
        f"{shown('frames', str(row['frames']))}, "
        f"{shown('sampler', row['sampler'])}",
        shown('losses', losses),
        f"`{row['start']}`" if row.get('start') else 'backbone weights',
    )


def testing_cells(row: dict) -> tuple[str, ...]:
    """Return the cells of a row of testing."""
    short, longest = row['size']
    window = str(row['window'] or 'none')
    if 'window' in row.get('ours', ()):
        window = f'*{window}*'
    return (row['recipe'], str(row['test_frames']), window,
            f"{short}, {longest or 'no limit'}", row['source'],
            ', '.join(f'`{name}`' for name in row['configs']))


def number(value: float) -> str:
    """Write 0.0001 as 1e-4."""
    mantissa, exponent = f'{value:e}'.split('e')
    return f'{float(mantissa):g}e{int(exponent)}'


if __name__ == '__main__':
    PAGE.write_text(write_page())
