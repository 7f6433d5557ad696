"""List the files of people's folders in a natural order."""
import re
from collections.abc import Collection, Iterable
from pathlib import Path


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
    its folder is listed once.

    Args:
        paths: files and folders.
        suffixes: keep these, in lower case; None keeps all.
    """
    found = {}
    for path in sorted(paths, key=lambda p: natural_key(str(p))):
        if (not is_hidden(path) and path.is_file()
                and (suffixes is None or path.suffix.lower() in suffixes)):
            found.setdefault((path.parent.resolve(), path.name), path)
    return list(found.values())
