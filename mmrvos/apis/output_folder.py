"""The folder of results: checked first, cleared of an earlier run's files."""
import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import mkdtemp

from mmrvos.utils import check_output_folder, load_json

OUTPUTS = ('overlay', 'masks', 'json')
RESULT = 'result.json'
UNFINISHED = '.unfinished_'


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """Create a temporary folder that is deleted at the end of the block.

    Folders of runs that were killed are deleted, too. A lock, which ends with
    its process, tells them from those of other running processes. In a file
    system without locks they stay.
    """
    with ExitStack() as stack:
        with locked(parent, optional=True):
            for path in parent.glob(f'{UNFINISHED}*'):
                with suppress(OSError), locked(path, fcntl.LOCK_NB):
                    shutil.rmtree(path)
            folder = Path(mkdtemp(dir=parent, prefix=UNFINISHED))
            stack.enter_context(locked(folder, optional=True))
            stack.callback(shutil.rmtree, folder)
        yield folder


@contextmanager
def locked(folder: Path,
           flags: int = 0,
           optional: bool = False) -> Iterator[None]:
    """Lock a folder against other processes that lock it.

    Args:
        folder: an existing folder.
        flags: ``fcntl.LOCK_NB`` does not wait for another process.
        optional: go on without a lock where the file system has none.

    Raises:
        OSError: it is locked and ``flags`` says not to wait, or the file
            system has no locks.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError) if optional else nullcontext():
            fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(descriptor)


def earlier_files(folder: Path) -> list[Path]:
    """List the files that an earlier run has written into a folder.

    ``result.json`` says which. Other files are never listed.
    """
    try:
        content = load_json(folder / RESULT)
        frames = list(map(str, content['frames']))
        num = len(content['expressions'])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    masks = folder / 'masks'
    candidates = [
        folder / RESULT, folder / 'overlay.mp4', folder / 'overlay.png', *[
            masks / str(e) / f'{name}.png' for e in range(num)
            for name in frames if re.fullmatch(r'[^/\\]+', name)
        ]
    ]
    return [path for path in candidates if path.is_file()]


def check_folder(folder: str | Path, outputs: Collection[str]) -> Path:
    """Check that results can be written into a folder.

    Returns:
        The folder.

    Raises:
        FileExistsError: it holds masks that no ``result.json`` lists, which
            would mix with the new ones.
        OSError: it cannot be written, or the path is empty.
        TypeError: it is no path.
        ValueError: an unknown kind of output.
    """
    if unknown := set(outputs) - set(OUTPUTS):
        raise ValueError(f'outputs has {sorted(unknown)}, expected some '
                         f'of {OUTPUTS}')
    folder = check_output_folder(folder)
    for name in ('masks', 'result.json', 'overlay.mp4', 'overlay.png'):
        path = folder / name
        if path.exists() and path.is_dir() != (name == 'masks'):
            raise FileExistsError(
                f'{path} is a {"folder" if path.is_dir() else "file"}, '
                f'expected a {"folder" if name == "masks" else "file"}: '
                'choose another out_dir')
    known = earlier_files(folder)
    if 'masks' in outputs and not known:
        found = next((folder / 'masks').glob('*/*.png'), None)
        if found is not None:
            raise FileExistsError(
                f'{found} exists, but no {RESULT} of an earlier run lists '
                'it: choose another out_dir, or delete the masks')
    return folder
