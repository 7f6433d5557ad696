"""Models by name: what model-index.yml and the metafiles say about them."""
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from .home import find_checkpoint, home_folder

#: Who computed a number: the authors of the method, we with their weights, or
#: we with weights that we trained.
SOURCES = ('paper', 'converted', 'ours')


@dataclass(frozen=True)
class OfficialFile:
    """A checkpoint that the authors of a method published.

    Attributes:
        weights: a URL, 'gdrive:<id>' (Google Drive) or 'hf:<repo>/<file>'
            (Hugging Face hub; the repo of a Space starts with 'spaces/').
        converter: program of tools/model_converters with its first arguments.
            The names of the official file and of the file to write follow.
        license: of the weights; 'none stated' if the authors state none.
        sha256, size: of the official file, in hex and in bytes; None if not
            known.
        code: link to the official code.
        submission: address of the masks that the authors sent to the server of
            the benchmark, None if they published none.
    """

    weights: str
    converter: str
    license: str
    sha256: str | None = None
    size: int | None = None
    code: str | None = None
    submission: str | None = None


@dataclass(frozen=True)
class Result:
    """Numbers of a model on a data set.

    Attributes:
        task, dataset: names for people.
        metrics: name to value. Names are those of the metric class, without
            its prefix; percentages are between 0 and 100.
        source: one of ``SOURCES``.
        seed: of the training, for numbers of ours.
        command: that computed the numbers, or that trained the weights; not
            for numbers of a paper.
        note: what a reader of the number must know.
        table: number of the paper's table, for ablations.
        training: of numbers of ours: 'Clips', 'Minutes', 'Parameters'
            (millions) and 'Machine'.
    """

    task: str
    dataset: str
    metrics: Mapping[str, float]
    source: str
    seed: int | None = None
    command: str | None = None
    note: str | None = None
    table: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelEntry:
    """What a metafile says about a config.

    Attributes:
        name: <method>_<name of the config file>, e.g. 'referformer_r50_ytvos'.
        aliases: other names that are accepted.
        collection: the method.
        config: path of the config file.
        metadata: 'Task', 'Test Data', 'Training Data', 'Epochs', 'Frames' (per
            clip) and 'Batch Size' (clips per step, over all processes).
        results: numbers, of the paper and of ours.
        weights: published weights of ours, a path or URL; None if there are
            none.
        weights_from: name of the model whose weights this config tests, for
            configs without a training of their own.
        converted_from: the official file, of ``weights_from`` if given; None
            if there is none.
        hub_weights: repositories of the Hugging Face hub whose networks the
            model loads itself, in place of a checkpoint.
        change: keys that an ablation changes.
    """

    name: str
    aliases: tuple[str, ...]
    collection: str
    config: Path
    metadata: Mapping[str, Any]
    results: tuple[Result, ...]
    weights: str | None
    weights_from: str | None
    converted_from: OfficialFile | None
    hub_weights: tuple[str, ...] = ()
    change: str | None = None

    @property
    def checkpoint(self) -> str:
        """File of the weights, as ``load_from`` in configs names it.

        ``mmrvos.home.find_checkpoint`` looks the file up.
        """
        return f'checkpoints/{self.weights_from or self.name}.pth'


def index_folder() -> Path:
    """Return the folder of model-index.yml: the repository or mmrvos/.mim."""
    package = Path(__file__).parent
    repository = package.parent
    is_checkout = (repository / 'model-index.yml').is_file()
    return repository if is_checkout else package / '.mim'


def read_model_index(folder: Path | None = None) -> dict[str, ModelEntry]:
    """Read model-index.yml and the metafiles that it imports.

    Args:
        folder: folder of model-index.yml; None finds the one of the package.

    Returns:
        The entry of every model by name, without aliases.

    Raises:
        ValueError: a metafile has a key that no class here knows, lacks a
            required one, or names a model that does not exist; or two models
            have one name.
    """
    folder = folder or index_folder()
    index = yaml.safe_load((folder / 'model-index.yml').read_text())
    models = {}
    for path in index['Import']:
        for model in yaml.safe_load((folder / path).read_text())['Models']:
            name = model.get('Name')
            if name in models:
                raise ValueError(
                    f'{path} has a model {name}, as {models[name][0]}: '
                    'rename one of them')
            models[name] = (path, model)
    entries = {}
    for name, (path, model) in models.items():
        try:
            official = model
            if 'Weights From' in model:
                official = models[model['Weights From']][1]
            entries[name] = _entry(folder, model, official)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{path}, model {name}: {error!r}; expected the keys of '
                'mmrvos.model_index.ModelEntry') from None
    return entries


def _entry(folder: Path, model: dict, official: dict) -> ModelEntry:
    unknown = set(model) - {
        'Name', 'Aliases', 'In Collection', 'Config', 'Metadata', 'Results',
        'Weights', 'Weights From', 'Converted From', 'Hub Weights', 'Change'
    }
    if unknown:
        raise ValueError(f'unknown key {sorted(unknown)[0]!r}')
    weights = official.get('Weights')
    if weights is not None and '://' not in weights:
        weights = str(folder / weights)
    converted_from = official.get('Converted From')
    return ModelEntry(
        name=model['Name'],
        aliases=tuple(model.get('Aliases', ())),
        collection=model['In Collection'],
        config=folder / model['Config'],
        metadata=model['Metadata'],
        results=tuple(
            Result(**_lower_keys(result))
            for result in model.get('Results', ())),
        weights=weights,
        weights_from=model.get('Weights From'),
        converted_from=converted_from and OfficialFile(
            **_lower_keys(converted_from)),
        hub_weights=tuple(model.get('Hub Weights', ())),
        change=model.get('Change'))


def is_here(weights: str) -> bool:
    """Return whether weights are a URL or a file that exists.

    Weights of ours are in the repository; the wheel does not hold them.
    """
    return '://' in weights or Path(weights).is_file()


def find_weights(entry: ModelEntry) -> str:
    """Return the file or URL of a model's weights.

    These are the published ones, or the file ``entry.checkpoint`` that
    ``mmrvos download`` or a training wrote.

    Raises:
        ValueError: there are none yet; the message says how to get them.
    """
    if entry.weights is not None and is_here(entry.weights):
        return entry.weights
    file = find_checkpoint(entry.checkpoint)
    if file.is_file():
        return str(file)
    if entry.weights is not None:
        name = '/'.join(Path(entry.weights).parts[-2:])
        raise ValueError(
            f'the weights of {entry.name} are in the repository, not in the '
            f'package: copy {name} of a checkout to '
            f'{home_folder() / entry.checkpoint}, or pass its path as weights')
    official = entry.converted_from
    if official is None:
        raise ValueError(
            f'no weights of {entry.name} are published, and '
            f'{entry.checkpoint} does not exist: {how_to_get(entry)}; or pass '
            'a checkpoint as weights')
    raise ValueError(
        f'{entry.name} needs the official file {official.weights} (licence: '
        f'{official.license}), converted to {entry.checkpoint}: '
        f'{how_to_get(entry)}; or pass a checkpoint as weights')


def how_to_get(entry: ModelEntry) -> str:
    """Return the commands that write ``entry.checkpoint``."""
    trained = entry
    if entry.weights_from is not None:
        trained = read_model_index()[entry.weights_from]
    config = os.path.relpath(trained.config)
    method, *_, file = trained.config.with_suffix('').parts[
        trained.config.parts.index('configs') + 1:]
    last = f'epoch_{trained.metadata.get("Epochs", "N")}.pth'
    ways = [f'train {config} and run "python tools/model_converters/'
            f'publish_model.py work_dirs/{method}/{file}/{last} '
            f'{entry.checkpoint}"']
    if entry.converted_from is not None:
        ways.insert(0, f'run "mmrvos download {entry.name}"')
    return ', or '.join(ways)


def checkpoint_hint(path: str | Path) -> str:
    """Return what to do about a checkpoint that is missing.

    Args:
        path: of the checkpoint.

    Returns:
        How to get 'checkpoints/<name of a model>.pth', to be added to a
        message; '' for other paths.
    """
    entry = read_model_index().get(Path(path).stem)
    if entry is None or str(path) != entry.checkpoint:
        return ''
    return f'. To get it, {how_to_get(entry)}'


def _lower_keys(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in mapping.items()}


def find_model(name: str) -> ModelEntry:
    """Find a model by its name or one of its aliases.

    Args:
        name: for example 'referformer_tiny_shapes'.

    Raises:
        ValueError: there is no such name; the message names the nearest three.
    """
    entries = read_model_index()
    names = {
        alias: entry
        for entry in entries.values()
        for alias in (entry.name, *entry.aliases)
    }
    if name in names:
        return names[name]
    wanted = name.lower().replace('/', '_').removesuffix('.py')
    nearest = get_close_matches(wanted, entries, n=3, cutoff=0.)
    raise ValueError(
        f'{name!r} is neither a config file nor a model of model-index.yml; '
        f'the nearest of its {len(entries)} names are {", ".join(nearest)}')
