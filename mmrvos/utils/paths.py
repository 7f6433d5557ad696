"""Names and files that come from other people.

Video ids, expression ids and frame names are read from downloaded JSON, CSV
and zip files. :func:`safe_join` turns such a name into a path that stays in
the folder it belongs to. :func:`check_file` refuses what is no ordinary file.
"""
import re
import reprlib
import stat
import unicodedata
from pathlib import Path

#: Largest file that is read into memory, in bytes. One number per kind: a
#: frame or a mask, an annotation file (the mask file of MeViS has 0.6 GB), a
#: file of weights.
MAX_IMAGE_BYTES = 64 * 2**20
MAX_ANNOTATION_BYTES = 8 * 2**30
MAX_WEIGHTS_BYTES = 64 * 2**30
#: Longest part of a path, in bytes: the limit of common file systems.
MAX_NAME_BYTES = 255


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 160
#: ``repr`` of a value for a message, with at most about 160 characters
brief = _REPR.repr


def check_name(name: str, what: str, source: str | Path) -> str:
    """Check a name that will become part of a path.

    Slashes are allowed, because ids of ReVOS contain them.

    Args:
        name: the name, for example a video id.
        what: kind of the name, for the message ('video id').
        source: file that contains the name, for the message.

    Returns:
        The name, unchanged.

    Raises:
        ValueError: the name is no string or empty, is absolute, or contains
            '.', '..' or an empty part, a backslash, a drive letter, a control
            character, or a part that no file system can store.
    """
    if not isinstance(name, str):
        raise ValueError(
            f'{source}: {what} {brief(name)} is a {type(name).__name__}, '
            'expected a string')
    reason = _fault(name)
    if reason:
        raise ValueError(
            f'{source}: {what} {brief(name)} {reason}; expected a relative '
            'name that stays in its folder')
    return name


def _fault(name: str) -> str | None:
    if not name:
        return 'is empty'
    if re.fullmatch(r'\w[\w-]{0,99}', name, re.ASCII):
        return None  # almost all names: data sets have millions of them
    if name.startswith('/') or re.match(r'[A-Za-z]:', name):
        return 'is an absolute path'
    if '\\' in name:
        return 'contains a backslash'
    if any(unicodedata.category(c) in ('Cc', 'Cs') for c in name):
        return 'contains a control character'
    for part in name.split('/'):
        if part in ('', '.', '..'):
            return f'contains the part {part!r}'
        if len(part.encode()) > MAX_NAME_BYTES:
            return f'has a part longer than {MAX_NAME_BYTES} bytes'
    return None


def safe_join(root: str | Path,
              name: str,
              what: str,
              source: str | Path,
              *,
              writing: bool = False) -> Path:
    """Join a folder and a name from a file.

    Args:
        root: the folder.
        name, what, source: see :func:`check_name`.
        writing: also refuse a path that leaves the folder through a symbolic
            link. Paths to read may be links: data sets are often linked.

    Returns:
        ``root / name``.

    Raises:
        ValueError: the name is not allowed, or ``writing`` and a link leads
            out of the folder.
    """
    path = Path(root) / check_name(name, what, source)
    if writing:
        target = path.resolve()
        if not target.is_relative_to(Path(root).resolve()):
            raise ValueError(
                f'{source}: {what} {name!r} leads out of {root}: {path} '
                f'points to {target} through a link; remove the link')
    return path


def check_distinct(names: list[str], what: str, source: str | Path) -> None:
    """Check that no two names become one path on any file system.

    Raises:
        ValueError: two names are equal, or differ only in case or in the
            Unicode form of their characters. Windows and macOS store such
            names as one file, so data would be lost.
    """
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize('NFC', name).casefold()
        if key in seen:
            raise ValueError(
                f'{source}: {what}s {seen[key]!r} and {name!r} lead to the '
                'same path on some file systems; rename one of them')
        seen[key] = name


def check_file(path: str | Path, max_bytes: int | None = None) -> Path:
    """Check that a path is an ordinary file of bounded size.

    Reading a named pipe never ends, and a huge file exhausts the memory.

    Args:
        path: the file. Links are followed.
        max_bytes: largest allowed size.

    Returns:
        The path.

    Raises:
        FileNotFoundError: there is nothing at ``path``, or a link to nothing.
        ValueError: a folder, pipe, socket or device, or too large.
    """
    path = Path(path)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise FileNotFoundError(
                f'{path} is a link to {path.readlink()}, which is missing'
            ) from None
        raise FileNotFoundError(
            f'{path} is missing: expected a file') from None
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(
            f'{path} is a {_kind(status.st_mode)}, expected a file')
    if max_bytes is not None and status.st_size > max_bytes:
        raise ValueError(
            f'{path} has {status.st_size} bytes, more than the {max_bytes} '
            'allowed for this kind of file')
    return path


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: 'folder',
        stat.S_IFIFO: 'named pipe',
        stat.S_IFSOCK: 'socket',
        stat.S_IFCHR: 'device',
        stat.S_IFBLK: 'device',
    }
    return kinds.get(stat.S_IFMT(mode), 'special file')
