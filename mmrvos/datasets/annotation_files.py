"""Read annotation files, and check their form before the work starts.

Every error is one line that names the file, the place in it and the value.
"""
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmrvos.utils import encoding_of, load_json, natural_key

_KINDS = {
    dict: 'a dictionary',
    list: 'a list',
    str: 'a text',
    int: 'an integer',
    float: 'a number'
}


def expect(value: Any, kind: type, place: str) -> Any:
    """Check the type of a value that was read from a file.

    Args:
        value: the value.
        kind: dict, list, str, int or float; float accepts integers.
        place: the file and the place in it, for the message.

    Returns:
        The value.

    Raises:
        ValueError: it has another type.
    """
    kinds = (int, float) if kind is float else kind
    if not isinstance(value, kinds) or isinstance(value, bool):
        shown = 'null' if value is None else repr(value)
        shown = shown if len(shown) <= 60 else f'{shown[:57]}...'
        raise ValueError(f'{place} is {shown}, expected {_KINDS[kind]}')
    return value


def entry(content: dict, key: str, kind: type, place: str) -> Any:
    """Read one entry of a dictionary and check its type.

    Raises:
        ValueError: the entry is missing, or has another type.
    """
    if key not in expect(content, dict, place):
        raise ValueError(
            f'{place} has no "{key}", expected {_KINDS[kind]}: fetch the file '
            'again')
    return expect(content[key], kind, f'{place}: "{key}"')


def load_expressions(path: str | Path) -> dict[str, dict]:
    """Read the ``videos`` of an expression file.

    Returns:
        ``{video id: {"frames": [name, ...], "expressions": {id: {"exp": text,
        ...}}}}`` as in the file, with the names of the frames as text.

    Raises:
        ValueError: an entry is missing, has another type, or a video lists a
            frame twice.
    """
    content = load_json(path)
    if not isinstance(content, dict) or 'videos' not in content:
        raise ValueError(
            f'{path} has no entry "videos", so it is no expression file: '
            'look at ann_file in the config')
    videos = entry(content, 'videos', dict, str(path))
    for video_id, info in videos.items():
        place = f'{path}: video {video_id}'
        frames = entry(info, 'frames', list, place)
        info['frames'] = [
            str(name) if type(name) is int else expect(
                name, str, f'{place}: a frame') for name in frames
        ]
        if not frames:
            raise ValueError(
                f'{place} lists no frames; remove it or name its frames')
        if len(set(info['frames'])) < len(frames):
            twice = next(n for i, n in enumerate(info['frames'])
                         if n in info['frames'][:i])
            raise ValueError(f'{place} lists frame {twice} twice, expected '
                             'every frame once')
        for exp_id, expression in entry(info, 'expressions', dict,
                                        place).items():
            where = f'{path}: expression {exp_id} of video {video_id}'
            entry(expression, 'exp', str, where)
    return videos


def in_order_of_time(frame_names: Sequence[str]) -> list[int]:
    """Indices that put the frames of a video in natural order of their names.

    The order of a file does not matter. Numbers count by value, so names
    without leading zeros are in order, too.

    >>> in_order_of_time(['10', '2', '1'])
    [2, 1, 0]
    """
    return sorted(
        range(len(frame_names)), key=lambda i: natural_key(frame_names[i]))


def object_ids(value: Any, place: str) -> list[str]:
    """Read the object ids of an expression: one id, or a list of ids.

    Args:
        value: an integer or a text, or a list of them; empty for no object.
        place: the file and the place in it, for the message.

    Raises:
        ValueError: an id is null, a fraction, a list or empty.
    """
    ids = value if isinstance(value, list) else [value]
    for one in ids:
        if type(one) is not int and not (isinstance(one, str) and one.strip()):
            raise ValueError(
                f'{place} names object {one!r}, expected an id (an integer or '
                'a text) or a list of ids')
    return [str(one) for one in ids]


def check_pixel_value(obj_id: str, place: str) -> None:
    """Check that an object id can be a pixel value of a label map.

    Raises:
        ValueError: it is no integer from 1 to 255.
    """
    if not re.fullmatch('[0-9]{1,9}', obj_id) or not 0 < int(obj_id) < 256:
        raise ValueError(
            f'{place} names object {obj_id!r}, expected an integer from 1 to '
            '255: ids are the pixel values of the masks, and 0 is the '
            'background')


def read_rows(path: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Read a CSV file in UTF-8, or in the encoding of its byte order mark.

    Yields:
        The place of a row for messages, "<path>, line <n>", and its fields.
        Rows without any field are left out.

    Raises:
        ValueError: the file has another encoding, or is no CSV.
    """
    encoding = encoding_of(path)
    with open(path, newline='', encoding=encoding) as file:
        reader = csv.reader(file)
        try:
            for row in reader:
                if any(field.strip() for field in row):
                    yield f'{path}, line {reader.line_num}', row
        except UnicodeError as error:
            raise ValueError(
                f'{path} is not in {encoding} ({error} after line '
                f'{reader.line_num}): save it as CSV in UTF-8') from None
        except csv.Error as error:
            raise ValueError(f'{path}, line {reader.line_num}: {error}; '
                             'expected a CSV file') from None


def read_table(path: str | Path,
               columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Read a CSV file with a header.

    Args:
        path: of the file.
        columns: names that the header must have.

    Returns:
        For every row its place for messages, see :func:`read_rows`, and
        {column: value}. A missing value is ''.

    Raises:
        ValueError: a column is missing, or a row has more fields than the
            header; see also :func:`read_rows`.
    """
    rows = read_rows(path)
    header = [name.strip() for name in next(rows, ('', []))[1]]
    if missing := [name for name in columns if name not in header]:
        raise ValueError(
            f'{path} has the columns {header}, but lacks {missing}. Expected '
            'a header and commas between the columns')
    table = []
    for place, row in rows:
        if len(row) > len(header):
            raise ValueError(
                f'{place}: {len(row)} fields, expected {len(header)} as in '
                'the header; a text that contains a comma needs quotes')
        values = dict.fromkeys(header, '') | dict(
            zip(header, row, strict=False))
        table.append((place, values))
    return table
