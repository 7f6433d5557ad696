"""List the files of folders, and check where files will be written."""
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory


def natural_key(text: str) -> tuple:
    """Return a sort key that compares numbers by value: 2 before 10."""
    parts = re.split(r'(\d+)', text)
    # odd positions hold the digits; equal numbers (1, 01) go by their text
    return [int(part) if i % 2 else part
            for i, part in enumerate(parts)], text


def is_hidden(path: Path) -> bool:
    """Tell whether a file was left by an operating system: dot files, and
    what macOS adds to zip files."""
    return path.name.startswith('.') or '__MACOSX' in path.parts


def visible_files(paths: Iterable[Path],
                  suffixes: Collection[str] | None = None) -> list[Path]:
    """Filter files and sort them in natural order.

    Hidden files are left out. A file that is reached twice through links to
    its folder is listed once. Pipes and broken links are listed, so that
    reading them names them.

    Args:
        paths: files and folders.
        suffixes: keep these, in lower case; None keeps all.
    """
    found = {}
    for path in sorted(paths, key=lambda p: natural_key(str(p))):
        if (not is_hidden(path) and not path.is_dir()
                and (suffixes is None or path.suffix.lower() in suffixes)):
            found.setdefault((path.parent.resolve(), path.name), path)
    return list(found.values())


def check_output_folder(path: str | Path) -> Path:
    """Check that a folder can be created and written to.

    Called before long work. Nothing stays: a temporary folder is created and
    removed, because permissions do not tell all (/proc takes no folders).

    Raises:
        TypeError: the path is no text.
        OSError: the path is empty or cannot be a path, it or one of its
            parents is a file, or the folder does not allow writing.
    """
    path = _as_path(path)
    folder = next(p for p in (path, *path.absolute().parents)
                  if p.exists() or p.is_symlink())
    if not folder.is_dir():
        raise NotADirectoryError(
            f'{path} cannot be created: {folder} is not a folder; choose '
            'another path for the output')
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f'{path} cannot be created: {folder} does not allow writing; '
            'choose another path for the output')
    try:
        TemporaryDirectory(prefix='.mmrvos_', dir=folder).cleanup()
    except OSError as error:
        raise type(error)(
            f'{path} cannot be created: {folder} takes no new folder '
            f'({error.strerror}); choose another path for the output'
        ) from None
    return path


def _as_path(path: str | Path) -> Path:
    """Check that an argument is a path, and not the empty one.

    Raises:
        TypeError, OSError: see :func:`check_output_folder`.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f'the path of the output is {path!r} '
                        f'({type(path).__name__}), expected a text or a Path')
    if not os.fspath(path):
        raise FileNotFoundError(
            'the path of the output is empty; "." is the current folder')
    try:
        fault = b'\0' in os.fsencode(path)
    except UnicodeEncodeError:
        fault = True
    if fault:
        raise OSError(f'{str(path)!r} cannot be a path: it contains a '
                      'character that no file name has')
    return Path(path)


def check_output_file(path: str | Path) -> Path:
    """Check that a file can be created or replaced.

    Called before long work. Nothing is created.

    Raises:
        OSError: the path is a folder, or see :func:`check_output_folder`.
    """
    path = _as_path(path)
    if path.is_dir() or not path.name:
        raise IsADirectoryError(
            f'{path} is a folder, expected the name of a file to write')
    if path.is_symlink() and not path.exists():
        raise FileNotFoundError(
            f'{path} is a link to {path.readlink()}, which is missing; choose '
            'another path for the output')
    if path.exists() and not path.is_file():
        raise FileExistsError(f'{path} is a special file, expected the name '
                              'of a file to write')
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f'{path} cannot be replaced: it does not allow '
                              'writing')
    try:
        check_output_folder(path.parent)
    except OSError as error:
        raise type(error)(f'{path} cannot be written: {error}') from None
    return path


def new_output_file(path: str | Path) -> Path:
    """Check that a file can be created where there is none yet.

    Returns:
        The path without links and '..', so that it names the same file after
        folders have been created.

    Raises:
        FileExistsError: there is a file.
        OSError: see :func:`check_output_file`.
    """
    target = check_output_file(Path(path).resolve())
    if target.exists():
        raise FileExistsError(f'{target} exists: remove it, or name another '
                              'file')
    return target
