"""Turn the output of a test or of a training into rows of metafiles."""
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope

from .metafiles import describe, dump_metafile, model_name
from .model_index import SOURCES, read_model_index
from .registry import MODELS
from .tables import METRICS, SPLITS
from .utils import load_json, read_lines

# keys of a config that a command sets by other options, that MMEngine sets, or
# that do not change the weights
OF_THE_RUN = ('work_dir', 'launcher', 'resume', 'visualizer.name',
              'default_hooks.checkpoint', 'default_hooks.logger',
              'train_cfg.val_interval')


def tested(path: Path) -> tuple[str, dict[str, Any]]:
    """Read the JSON file that ``tools/test.py --out`` wrote.

    Returns:
        The name of the model, and a row without its source.

    Raises:
        ValueError: the file has another form.
    """
    try:
        content = load_json(path)
        config = Path(content['config'])
        row = _row(config, content['metrics'])
        row |= {'Command': content['command'], 'Seed': content['seed']}
        return model_name(config), row
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{path} is not a file of tools/test.py --out ({error!r})'
        ) from None


def _read_scalars(path: Path) -> list[dict[str, Any]]:
    """Read scalars.json, one JSON object per line.

    Raises:
        ValueError: a line is no JSON object, e.g. half of one.
    """
    entries = []
    for number, line in enumerate(read_lines(path), 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise ValueError(
                f'{path}: line {number} is no JSON object: {line[:40]!r}; '
                'delete the line if the training was stopped while it wrote '
                'it')
        entries.append(entry)
    return entries


def trained(work_dir: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    """Read the last validation of a training from its work dir.

    Args:
        work_dir: of the training.
        folder: of the checkout, whose metafiles name the model.

    Returns:
        The name of the model, and a row without its source. 'Command' has the
        options by which the training differs from the model's config.
        'Training' has the clips seen (steps times the clips per step of the
        recipe), the minutes of the training steps (with loading, without
        validation) and the parameters in millions.

    Raises:
        FileNotFoundError: the config or the scalars are missing.
        ValueError: the scalars are no lines of JSON, or hold no validation or
            training step, the training has not ended or was shorter than the
            model's config, it used a part of the data, no metafile has the
            model, or no option can express a difference of its config.
    """
    configs = sorted(work_dir.glob('*.py'))
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not (configs and logs):
        raise FileNotFoundError(
            f'{work_dir} is no work dir of a training: expected its config '
            'and <time>/vis_data/scalars.json')
    entries, scores, log_of_scores = [], [], None
    for log in logs:
        added = _read_scalars(log)
        found = [e for e in added if any('/' in key and 'loss' not in key
                                         for key in e)]
        entries += added
        scores += found
        log_of_scores = log if found else log_of_scores
    if log_of_scores is None:
        raise ValueError(
            f'{work_dir} holds no validation: train to the end first')
    steps = _times_of_steps(entries, scores[-1].get('step'))
    if not steps:
        raise ValueError(
            f'{work_dir} holds no training step: add its scores by --add '
            'FILE of tools/test.py --out')
    seconds = sum(
        (step - before) * steps[step] for before, step in zip(
            [0, *sorted(steps)], sorted(steps), strict=False))
    init_default_scope('mmrvos')
    # of this run: a later one may have had other options
    cfg = Config.fromfile(log_of_scores.with_name('config.py'))
    config = Path('configs', work_dir.resolve().parent.name, configs[0].name)
    name = model_name(config)
    recipe = _config_of(name, folder)
    _check_complete(work_dir, cfg, Config.fromfile(recipe),
                    scores[-1].get('step'))
    row = _row(configs[0], scores[-1])
    row |= {
        'Command': _command(recipe, cfg, folder),
        'Seed': cfg.get('randomness', {}).get('seed'),
        'Training': {
            'Clips': max(steps) * cfg.auto_scale_lr.base_batch_size,
            'Minutes': round(seconds / 60),
            'Parameters': _parameters(cfg.model)
        }
    }
    return name, row


def _check_complete(work_dir: Path, cfg: Config, recipe: Config,
                    validated: int | None) -> None:
    """Check that a training was as long as its recipe, and trained and
    validated on all data.

    Args:
        cfg: its config.
        recipe: the model's config.
        validated: epochs, or iterations, before the last validation.

    Raises:
        ValueError: it was not.
    """
    key = 'max_iters' if recipe.train_cfg.get('max_iters') else 'max_epochs'
    whole = recipe.train_cfg.get(key)
    end = cfg.train_cfg.get(key)
    for done, of, what in ((end, whole, 'the training had'),
                           (validated, end, 'the last validation is after')):
        if None not in (done, of) and done < of:
            raise ValueError(
                f'{work_dir}: {what} {done} of {of} epochs or iterations, '
                'so it is no result of this config: train to the end first '
                '(--resume), or write a config of its own')
    for loader in ('train_dataloader', 'val_dataloader'):
        dataset = (cfg.get(loader) or {}).get('dataset') or {}
        if dataset.get('indices') is not None:
            raise ValueError(
                f'{work_dir} used a part of the data ({loader}.dataset.'
                'indices), so it is no result of this config')


def _times_of_steps(entries: Sequence[Mapping[str, Any]],
                    epochs: int | None) -> dict[int, float]:
    """Return the seconds of a step by the number of steps so far.

    A log has every 50th step of an epoch, so the end of the last epoch is
    derived from the steps per epoch.

    Args:
        entries: lines of the log.
        epochs: before the last validation.
    """
    # a resumed training repeats steps: keep the last entry of a step
    losses = [e for e in entries if 'loss' in e]
    steps = {e['iter']: e['time'] for e in losses}
    first: dict[int, int] = {}  # logged step of an epoch
    for entry in losses:
        if 'epoch' in entry:
            first.setdefault(entry['epoch'], entry['iter'])
    lengths = {first[epoch + 1] - first[epoch] for epoch in first
               if epoch + 1 in first}
    if epochs in first and len(lengths) == 1:
        last = epochs * lengths.pop()
        steps[last] = steps[max(step for step in steps if step <= last)]
        steps = {s: time for s, time in steps.items() if s <= last}
    return steps


def _config_of(name: str, folder: Path) -> Path:
    """Return the config of a model.

    Raises:
        ValueError: no metafile has the model.
    """
    models = read_model_index(folder)
    if name not in models:
        raise ValueError(
            f'{name!r} is in no metafile: add its config there first')
    return models[name].config


def _command(config: Path, used: Config, folder: Path) -> str:
    """Return the command of a training that used a changed config.

    Raises:
        ValueError: no option can express a difference.
    """
    command = f'python tools/train.py {config.relative_to(folder)}'
    old, new = Config.fromfile(config).to_dict(), used.to_dict()
    if new.get('resume'):  # from that checkpoint, not a recipe's start
        new['load_from'] = old.get('load_from')
    try:
        options = shlex.join(_options(old, new))
    except ValueError as error:
        raise ValueError(
            f'the training of {config} differs from it in {error}, which no '
            'option can express: write a config with this change') from None
    return f'{command} --cfg-options {options}' if options else command


def _options(old: Any, new: Any, key: str = '') -> Iterator[str]:
    """List the options, KEY=VALUE, that turn one value into another.

    Keys of the old value that the new one lacks, and top-level keys that only
    the new one has, come from other versions of a config or from MMEngine.

    Raises:
        ValueError: an option cannot express a difference; it names the key.
    """
    if old == new or key in OF_THE_RUN:
        return
    dot = f'{key}.' if key else ''
    if isinstance(new, dict) and (isinstance(old, dict) or old is None):
        old = old or {}
        for name, value in new.items():
            if key or name in old:
                yield from _options(old.get(name), value, dot + name)
    elif isinstance(new, list) and any(isinstance(v, dict) for v in new):
        if not isinstance(old, list) or len(old) != len(new):
            raise ValueError(key)
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _options(*pair, f'{dot}{index}')
    else:
        yield f'{key}={new}'


def _parameters(cfg: dict) -> float:
    """Count the parameters of a model, in millions."""
    from .utils import without_downloads  # imports torch
    without_downloads(cfg, ['word'])
    model = MODELS.build(cfg)
    return round(sum(p.numel() for p in model.parameters()) / 1e6, 1)


def _row(config: Path, metrics: Mapping[str, float]) -> dict[str, Any]:
    """Make a row: the facts of the config and the measures of METRICS.

    Raises:
        ValueError: there is no measure.
    """
    facts = describe(config)
    shorts = {key.partition('/')[2]: value for key, value in metrics.items()}
    names = [*METRICS, 'hit']
    if facts['Test Data'].startswith('Moving Shapes'):
        names += [f'{m}/{s}' for s in SPLITS for m in ('J&F', 'hit')]
    found = {n: round(float(shorts[n]), 2) for n in names if n in shorts}
    if not found:
        raise ValueError(
            f'none of {", ".join(METRICS)} is among {sorted(metrics)}')
    return {
        'Task': facts['Task'],
        'Dataset': facts['Test Data'],
        'Metrics': found
    }


def add_result(folder: Path, name: str, row: Mapping[str, Any],
               source: str) -> Path:
    """Write a row into the metafile of a model.

    A row of the same data set, source and seed is replaced. The command of a
    row without one is the training of the model's config.

    Args:
        folder: of the checkout.
        name: of the model.
        row: the row, see :func:`tested`.
        source: 'converted' or 'ours'.

    Returns:
        The metafile.

    Raises:
        ValueError: no metafile has the model, or a row of ours has no seed.
    """
    if source not in SOURCES[1:]:
        raise ValueError(f'source {source!r}: expected converted or ours')
    row = dict(row)
    if source == 'ours' and row.get('Seed') is None:
        raise ValueError(
            f'{name}: a number of ours needs the seed of its training')
    if source == 'converted':
        row.pop('Seed', None)
    ordered = ('Task', 'Dataset', 'Metrics', 'Source', 'Seed', 'Command',
               'Training')
    row['Source'] = source
    index = yaml.safe_load((folder / 'model-index.yml').read_text())
    for path in index['Import']:
        content = yaml.safe_load((folder / path).read_text())
        for model in content['Models']:
            if model['Name'] == name:
                command = f'python tools/train.py {model["Config"]}'
                row = {'Command': command} | row
                results = model.setdefault('Results', [])
                results[:] = [
                    other for other in results
                    if (other['Dataset'], other['Source'], other.get('Seed'))
                    != (row['Dataset'], source, row.get('Seed'))
                ] + [{key: row[key] for key in ordered if key in row}]
                (folder / path).write_text(dump_metafile(content))
                return folder / path
    raise ValueError(f'{name!r} is in no metafile: add its config there first')
