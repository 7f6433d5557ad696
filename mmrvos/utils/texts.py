"""Read text and JSON files of other people."""
import codecs
import json
from collections import Counter
from pathlib import Path
from typing import Any

from .paths import MAX_ANNOTATION_BYTES, brief, check_file

#: byte order marks and the encodings that they stand for; UTF-32 comes first,
#: because its mark begins with that of UTF-16
_MARKS = {
    codecs.BOM_UTF32_LE: 'utf-32',
    codecs.BOM_UTF32_BE: 'utf-32',
    codecs.BOM_UTF8: 'utf-8-sig',
    codecs.BOM_UTF16_LE: 'utf-16',
    codecs.BOM_UTF16_BE: 'utf-16',
}


def encoding_of(path: str | Path, default: str = 'utf-8') -> str:
    """Return the encoding that the byte order mark of a file stands for.

    Args:
        path: of the file.
        default: encoding of a file without a mark.

    Raises:
        FileNotFoundError, ValueError: see :func:`check_file`.
    """
    with check_file(path, MAX_ANNOTATION_BYTES).open('rb') as file:
        start = file.read(4)
    return next((encoding for mark, encoding in _MARKS.items()
                 if start.startswith(mark)), default)


def read_lines(path: str | Path, encoding: str = 'utf-8') -> list[str]:
    """Read the lines of a text file, without a byte order mark.

    Args:
        path: of the file.
        encoding: of a file without a mark.

    Raises:
        FileNotFoundError, ValueError: it is missing or no ordinary file, or
            has another encoding.
    """
    encoding = encoding_of(path, encoding)
    try:
        return Path(path).read_text(encoding).splitlines()
    except UnicodeError as error:
        raise ValueError(f'{path} is not in {encoding} ({error}): save it in '
                         'UTF-8') from None


def load_json(path: str | Path) -> Any:
    """Read a JSON file in any Unicode encoding, with or without a mark.

    Raises:
        FileNotFoundError, ValueError: it is missing or no ordinary file, or
            see :func:`parse_json`.
    """
    data = check_file(path, MAX_ANNOTATION_BYTES).read_bytes()
    try:
        return parse_json(data)
    except ValueError as error:
        raise ValueError(
            f'{path} is no valid JSON ({error}): fetch it again') from None


def parse_json(data: bytes | str) -> Any:
    """Parse JSON in which every key of an object occurs once.

    Python keeps the last value of a key that occurs twice. The other one, a
    video or a prediction, would be lost without a message.

    Raises:
        ValueError: it is no JSON, is nested too deep, or repeats a key.
    """
    try:
        return json.loads(data, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError('nested too deep') from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        repeated = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f'the key {brief(repeated)} occurs '
                         f'{counts[repeated]} times in one object')
    return content
