"""Models by name: configs and published weights of model-index.yml."""
from difflib import get_close_matches
from pathlib import Path

import yaml
from mmengine.config import Config
from mmengine.infer import BaseInferencer

from mmrvos.utils import load_config


def read_model_index(folder: Path) -> dict[str, dict]:
    """Read model-index.yml and the metafiles that it imports.

    Args:
        folder: folder of model-index.yml and configs.

    Returns:
        The metafile entry of every model, by name.
    """
    index = yaml.safe_load((folder / 'model-index.yml').read_text())
    return {
        entry['Name']: entry
        for path in index['Import']
        for entry in yaml.safe_load((folder / path).read_text())['Models']
    }


def find_model(name: str) -> tuple[Config, str | None]:
    """Find a model by its name.

    Args:
        name: for example 'referformer/tiny_shapes'.

    Returns:
        The config and a file or URL of weights, None if no weights are
        published.

    Raises:
        ValueError: there is no such name; the message suggests similar ones.
    """
    folder = Path(BaseInferencer._get_repo_or_mim_dir('mmrvos'))
    entries = read_model_index(folder)
    if name not in entries:
        similar = get_close_matches(name, entries, n=3)
        raise ValueError(
            f'{name!r} is neither a config file nor a model of '
            'model-index.yml' +
            (f'; did you mean {" or ".join(similar)}?' if similar else
             f', which has {len(entries)} names such as {next(iter(entries))}'
             ))
    entry = entries[name]
    weights = entry.get('Weights')
    if weights is not None and '://' not in weights:
        weights = str(folder / weights)
    return load_config(folder / entry['Config']), weights
