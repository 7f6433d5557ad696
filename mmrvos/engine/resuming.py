"""What ``--resume`` goes on from."""
from pathlib import Path
from typing import Any

from torch import nn

from mmrvos.utils import fitted_weights, read_checkpoint, unpack_history


def latest_checkpoint(work_dir: str | Path) -> str:
    """Find the checkpoint that a work dir names as its latest.

    Raises:
        FileNotFoundError: there is none; names the folder and what could be
            used instead.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / 'last_checkpoint'
    saved = sorted(
        work_dir.glob('[!.]*.pth'), key=lambda path: path.stat().st_mtime)
    if pointer.is_file():
        path = Path(pointer.read_text().strip())
        if path.is_file():
            return str(path)
        found = f'{pointer} names {str(path)!r}, which is missing'
    else:
        found = f'{work_dir} has no checkpoint to resume from'
    if saved:
        raise FileNotFoundError(
            f'{found}: the newest file there is {saved[-1]}, pass --resume '
            f'{saved[-1]}')
    raise FileNotFoundError(
        f'{found}: check --work-dir, or leave out --resume to start from the '
        'beginning')


def check_resumable(source: str) -> None:
    """Check that a file is the state of a training, before a model is built.

    Raises:
        OSError, ValueError: see :func:`read_checkpoint` and
            :func:`prepare_state`.
    """
    prepare_state(read_checkpoint(source), source)


def prepare_resume(checkpoint: dict, model: nn.Module, source: str) -> None:
    """Check that the training of a model can be resumed from a checkpoint.

    Args:
        checkpoint: see :func:`prepare_state`; changed in place.
        model: the model without its wrapper.
        source: the file of the checkpoint.

    Raises:
        ValueError: see :func:`prepare_state`.
        CheckpointMismatch: the averaged weights do not fit the model.
    """
    prepare_state(checkpoint, source)
    if 'ema_state_dict' in checkpoint:
        averaged = dict(checkpoint['ema_state_dict'])
        averaged.pop('steps', None)  # the counter of MMEngine's averaged model
        fitted_weights(
            model,
            averaged,
            source=f'ema_state_dict of {source}',
            meta=checkpoint['meta'])


def prepare_state(checkpoint: dict, source: str) -> None:
    """Check the state of a training, and make it that of MMEngine.

    The log history becomes that of MMEngine again. What MMEngine would run or
    delete is removed: a config text in ``meta.config``, and paths of earlier
    checkpoints that do not lie beside this one.

    Args:
        checkpoint: see :func:`read_checkpoint`; changed in place.
        source: the file of the checkpoint.

    Raises:
        ValueError: a part of the state is missing or of another kind.
    """
    try:
        meta, hub, _ = (
            checkpoint[k] for k in ('meta', 'message_hub', 'optimizer'))
        meta.pop('config', None)
        meta['epoch'] + meta['iter']
        hub['log_scalars'] = {
            name: unpack_history(packed)
            for name, packed in hub['log_scalars'].items()
        }
        hub['runtime_info'] = {
            name: value
            for name, value in hub['runtime_info'].items()
            if is_own(name, value, Path(source).parent)
        }
        hub['resumed_keys'] = {
            name: value
            for name, value in hub['resumed_keys'].items()
            if name in hub['log_scalars'] or name in hub['runtime_info']
        }
    except (KeyError, TypeError, AttributeError, AssertionError) as error:
        raise ValueError(
            f'{source} is not the state of a training (wrong or missing: '
            f'{error}), so none can be resumed from it. To start a training '
            'from its weights, set load_from') from None


def is_own(name: str, value: Any, folder: Path) -> bool:
    """Tell whether MMEngine's CheckpointHook may use an entry.

    The hook deletes the files and folders that these entries name.

    Args:
        name, value: an entry of the message hub's ``runtime_info``.
        folder: folder of the checkpoint.
    """
    if name == 'keep_ckpt_ids':
        return isinstance(value, list) and all(type(i) is int for i in value)
    if name == 'last_ckpt' or name.startswith('best_ckpt'):
        path = Path(str(value))
        return (path.suffix == '.pth' and not path.is_dir()
                and path.parent.resolve() == folder.resolve())
    return True
