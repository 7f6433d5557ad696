"""Weights of a model by name: downloaded, converted and checked."""
import sys
from dataclasses import asdict
from pathlib import Path

from .downloads import (
    check_download,
    fetch,
    hash_in_name,
    hash_of,
    is_remote,
    local_name,
    make_folder,
    only_process,
    web_page,
)
from .home import find_checkpoint, home_folder
from .model_index import ModelEntry, OfficialFile, find_model, find_weights


def get_weights(entry: ModelEntry,
                file: str | Path | None = None,
                keep: bool = False,
                progress: bool = True) -> str:
    """Return a file with the weights of a model; fetch it if it is missing.

    Published weights are downloaded. An official file is downloaded,
    converted and checked against every key of the config. Its checkpoint
    becomes ``MMRVOS_HOME/checkpoints/<name>.pth``, where configs find it.

    Args:
        entry: see :func:`mmrvos.model_index.find_model`.
        file: the official file, if it was downloaded by hand.
        keep: keep the official file after the conversion.
        progress: print what is done, with a progress bar, to stderr.

    Raises:
        OSError: the download fails, see :func:`mmrvos.downloads.fetch`.
        ValueError: there are no weights of this name, or the official file is
            not a checkpoint of this config.
    """
    if file is None and entry.weights is not None:
        return _published(find_weights(entry), progress)
    target = home_folder() / entry.checkpoint
    official = entry.converted_from
    if file is None:
        found = find_checkpoint(entry.checkpoint)
        if found.is_file() or official is None:
            return find_weights(entry)  # its error says how to train them
        make_folder(target.parent)  # before the transfer
        with only_process(target, progress):
            if not target.is_file():  # another process may have written it
                _fetch_and_convert(entry, official, target, keep, progress)
        return str(target)
    if official is None:
        raise ValueError(f'{entry.name} has no official file that could be '
                         'converted: pass it as weights')
    source = Path(file)
    if not source.is_file():
        found = 'is a folder' if source.is_dir() else 'is missing'
        raise FileNotFoundError(f'{source} {found}: expected the official '
                                f'file of {entry.name}')
    check_download(
        source,
        str(source),
        official.sha256,
        official.size,
        page=web_page(official.weights))
    make_folder(target.parent)
    with only_process(target, progress):
        _convert(entry, official, source, target, progress)
    return str(target)


def needs_weights(entry: ModelEntry) -> bool:
    """Tell whether a model needs a checkpoint.

    A :class:`PretrainedSegmentor` loads published networks itself.
    """
    # torch is imported only when weights are needed
    from .utils import load_config, needs_checkpoint
    return needs_checkpoint(load_config(entry.config).model)


def needed_weights(entry: ModelEntry, progress: bool = True) -> str | None:
    """Return a file with the weights of a model, None if it needs none.

    Args:
        entry, progress: see :func:`get_weights`.

    Raises:
        OSError, ValueError: see :func:`get_weights`.
    """
    if not needs_weights(entry):
        return None
    return get_weights(entry, progress=progress)


def resolve_weights(source: str, progress: bool = True) -> str:
    """Return the file or address of a checkpoint that may be given by name.

    Args:
        source: path, address, or name of a model (``mmrvos list``), whose
            weights are fetched if they are missing. A file with the name of a
            model takes precedence.
        progress: see :func:`get_weights`.

    Returns:
        ``source`` itself where it is no name.

    Raises:
        OSError, ValueError: see :func:`get_weights`.
    """
    if is_remote(source) or find_checkpoint(source).exists():
        return source
    try:
        entry = find_model(source)
    except ValueError:
        return source  # a path that is missing, which the caller reports
    return get_weights(entry, progress=progress)


def get_masks(entry: ModelEntry, progress: bool = True) -> Path:
    """Return the masks that the authors of a model submitted to a server.

    Raises:
        OSError: the download fails, see :func:`mmrvos.downloads.fetch`.
        ValueError: the authors published no masks.
    """
    official = entry.converted_from
    # a config that tests the weights of another one has other test data
    known = official is not None and entry.weights_from is None
    source = official.submission if known else None
    if source is None:
        raise ValueError(f'no masks of the authors of {entry.name} are known: '
                         'pass a folder or a zip of masks')
    return fetch(
        source,
        home_folder() / 'downloads' / f'{local_name(source)}.zip',
        progress=progress)


def _published(weights: str, progress: bool) -> str:
    """Fetch weights of ours; their name may end in the start of the hash."""
    if not is_remote(weights):
        return weights
    name = Path(weights.split('?')[0]).name
    return str(
        fetch(
            weights,
            home_folder() / 'checkpoints' / name,
            sha256=hash_in_name(name),
            progress=progress))


def _fetch_and_convert(entry: ModelEntry, official: OfficialFile, target: Path,
                       keep: bool, progress: bool) -> None:
    _say(progress, f'official file: {web_page(official.weights)}, licence: '
         f'{official.license}')
    source = fetch(
        official.weights,
        home_folder() / 'downloads' / local_name(official.weights),
        sha256=official.sha256,
        size=official.size,
        progress=progress)
    try:
        _convert(entry, official, source, target, progress)
    except ValueError:  # a damaged file must not stay in the cache
        source.unlink()
        raise
    if not keep:
        source.unlink()


def _convert(entry: ModelEntry, official: OfficialFile, source: Path,
             target: Path, progress: bool) -> None:
    # torch is imported only when there is something to convert
    from .conversion.official import convert_file, method_of
    digest, size = hash_of(source), source.stat().st_size
    owner = find_model(entry.weights_from or entry.name)
    report = convert_file(
        method_of(official.converter),
        source,
        target,
        config=owner.config,
        meta=dict(
            name=owner.name,
            official=asdict(official) | dict(sha256=digest, size=size)))
    _say(progress, f'SHA-256 {digest}, {size} bytes'
         + ('' if official.sha256 else ' (not known before: add both to the '
            'metafile)'))
    _say(progress, f'{len(report.renamed)} keys renamed, '
         f'{len(report.dropped)} dropped; the result fits {owner.name}')


def _say(progress: bool, message: str) -> None:
    if progress:
        print(message, file=sys.stderr)
