import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmrvos.utils.palette_png import palette_indices

LABELS = np.random.default_rng(0).integers(0, 256, (13, 21)).astype(np.uint8)


def png(labels: np.ndarray, mode: str = 'P', **options) -> bytes:
    image = Image.fromarray(labels).convert('L')
    if mode == 'P':
        image.putpalette(bytes(range(256)) * 3)
    else:
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, 'PNG', **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return (struct.pack('>I', len(content)) + kind + content +
            struct.pack('>I', zlib.crc32(kind + content)))


def written(rows: bytes, height: int, width: int, *form: int) -> bytes:
    """A PNG with these rows, which each begin with their filter."""
    return (b'\x89PNG\r\n\x1a\n' +
            chunk(b'IHDR', struct.pack('>II5B', width, height, *form)) +
            chunk(b'PLTE', bytes(768)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


@pytest.mark.parametrize('shape', [(1, 1), (13, 21), (480, 854)])
def test_equals_pillow(shape):
    labels = np.resize(LABELS, shape)
    content = png(labels, transparency=3)
    decoded = palette_indices(content, 480 * 854)
    np.testing.assert_array_equal(decoded, labels)
    np.testing.assert_array_equal(
        decoded, np.asarray(Image.open(io.BytesIO(content))))
    assert palette_indices(content, labels.size - 1) is None


def test_several_data_chunks():
    rows = bytes([0, 7, 8, 0, 9, 10])
    data = zlib.compress(rows)
    content = written(rows, 2, 2, 8, 3, 0, 0, 0)
    content = content.replace(
        chunk(b'IDAT', data), chunk(b'IDAT', data[:5]) +
        chunk(b'IDAT', data[5:]))
    assert palette_indices(content, 4).tolist() == [[7, 8], [9, 10]]


@pytest.mark.parametrize('content', [
    png(LABELS, 'L'),
    png(LABELS, 'RGB'),
    png(LABELS % 2, bits=1),
    written(bytes([0, 7, 8, 2, 9, 10]), 2, 2, 8, 3, 0, 0, 0),  # filter Up
    written(bytes([0, 7, 8, 0, 9, 10]), 2, 2, 8, 3, 0, 0, 1),  # interlaced
    written(bytes([0, 7, 8, 0, 9]), 2, 2, 8, 3, 0, 0, 0),  # too short
    written(bytes([0, 7, 8, 0, 9, 10, 0]), 2, 2, 8, 3, 0, 0, 0),  # too long
    written(bytes(2**20), 1, 1, 8, 3, 0, 0, 0),
    written(b'', 0, 0, 8, 3, 0, 0, 0),
    b'', b'\x89PNG\r\n\x1a\n', b'GIF89a',
], ids=range(12))
def test_other_files_are_left_to_pillow(content):
    assert palette_indices(content, 10**6) is None


def test_damaged_files_are_left_to_pillow():
    content = png(LABELS)
    for end in range(len(content)):
        assert palette_indices(content[:end], 10**6) is None
    start = content.index(b'IDAT')
    for place in (start + 10, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 1
        assert palette_indices(bytes(damaged), 10**6) is None
