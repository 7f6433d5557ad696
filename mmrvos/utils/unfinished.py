"""Write files and folders that appear when they are complete.

A process that is killed, or a full disk, leaves the earlier content.
"""
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import mkdtemp

UNFINISHED = '.unfinished_'


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file beside its place, and move it there at the end.

    The folder is created. If the block raises an error, the file at ``path``
    stays as it was.

    Yields:
        The path to write, with the suffix of ``path``.

    Raises:
        OSError: the file cannot be written, the disk is full for example;
            names ``path``.
    """
    path = Path(path)
    partial = path.with_name(f'{UNFINISHED}{os.getpid()}_{path.name}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:
        # torch.save raises another error while it handles that of the system
        cause = error if isinstance(error, OSError) else error.__context__
        if (not isinstance(cause, OSError) or cause.errno is None
                or cause.filename not in (None, str(partial))):
            raise
        raise type(cause)(
            f'{path} cannot be written: {cause.strerror}') from None
    finally:
        partial.unlink(missing_ok=True)


def remove_partial_files(folder: str | Path) -> None:
    """Remove what killed processes have left of :func:`replacing`.

    Args:
        folder: no other process may write into it.
    """
    for path in Path(folder).glob(f'{UNFINISHED}*'):
        if path.is_file():
            path.unlink()


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


@contextmanager
def only_process_in(folder: str | Path, name: str,
                    what: str) -> Iterator[None]:
    """Let one process at a time work in a folder.

    Unlike :func:`locked`, the lock is not inherited by processes that this
    one forks, such as the workers of data loaders. It ends with this process,
    also by SIGKILL.

    Args:
        folder: created if needed.
        name: of the lock file in it.
        what: what the process does, for the message ('a training').

    Raises:
        BlockingIOError: another process does it there.
    """
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w') as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise BlockingIOError(
                f'{folder} is in use by {what} that still runs: end it, or '
                'choose another folder') from None
        except OSError:
            pass  # a file system without locks
        yield
