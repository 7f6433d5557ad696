from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.utils import check_shape

from ..annotation_files import entry, expect
from .base import VideoBuilder, object_name, video_of

#: types of regions, which are also the keys of their labels
REGIONS = ('polygonlabels', 'brushlabels')
BOXES = ('rectanglelabels', 'videorectangle', 'ellipselabels')


def read_label_studio(content: Any, path: Path) -> list[VideoBuilder]:
    """Read a JSON export of Label Studio, one task per frame.

    A video is the folder of the images. An object is the label of its
    polygons and brush masks. A text field of a region is a sentence about its
    object.

    Args:
        content: of the file.
        path: of the file, for messages.

    Raises:
        ValueError: the file has another form, or contains boxes.
    """
    videos: dict[str, VideoBuilder] = {}
    for i, task in enumerate(expect(content, list, str(path))):
        place = f'{path}: task {i} (from 0)'
        file = image_of(entry(task, 'data', dict, place), place)
        name = video_of(file, path.stem)
        if name not in videos:
            videos[name] = VideoBuilder(name, path)
        results = []
        for annotation in entry(task, 'annotations', list, place):
            if not expect(annotation, dict, place).get('was_cancelled'):
                results += entry(annotation, 'result', list, place)
        add_task(videos[name], file, results, f'{place}, {file}')
    for video in videos.values():
        shape = next((s for s in video.shapes.values() if s), None)
        if shape is None:
            raise ValueError(f'{path}: video {video.name} has no region, so '
                             'the size of its frames is not known')
        # a task without a region does not tell the size of its image
        video.shapes = {
            file: size or shape for file, size in video.shapes.items()
        }
    return list(videos.values())


def add_task(video: VideoBuilder, file: str, results: list,
             place: str) -> None:
    """Add the regions and texts of one frame."""
    texts: list[tuple[str, Any]] = []
    owner: dict[Any, str] = {}
    video.add_frame(file, None)
    for result in results:
        kind = entry(result, 'type', str, place)
        value = entry(result, 'value', dict, place)
        if kind in BOXES:
            raise ValueError(f'{place} contains {kind}, expected masks: draw '
                             'polygons or brush masks')
        if kind == 'textarea':
            texts += [(text, result.get('id'))
                      for text in entry(value, 'text', list, place)]
        if kind not in REGIONS:
            continue
        shape = (entry(result, 'original_height', int, place),
                 entry(result, 'original_width', int, place))
        check_shape(*shape, place)
        labels = entry(value, kind, list, place)
        if not labels:
            raise ValueError(f'{place} has a region without a label')
        obj = object_name(expect(labels[0], str, place))
        owner[result.get('id')] = obj
        video.shapes[file] = shape
        video.add_region(file, obj, region_of(kind, value, shape, place),
                         place)
    for text, region in texts:
        if region in owner:
            video.add_sentence(expect(text, str, place), owner[region])


def image_of(data: dict, place: str) -> str:
    """Find the path of the image of a task, without the server's part.

    Raises:
        ValueError: the task has no image.
    """
    for key in ('image', 'img', 'frame', 'url'):
        if isinstance(data.get(key), str):
            address = urlparse(data[key])
            local = parse_qs(address.query).get('d')  # local files
            file = local[0] if local else unquote(address.path)
            return '/'.join(file.strip('/').split('/')[-2:])
    raise ValueError(f'{place} has no image: its data are {sorted(data)}. '
                     'Export frames as images; the video format of Label '
                     'Studio contains boxes, not masks')


def region_of(kind: str, value: dict, shape: tuple[int, int],
              place: str) -> list | dict:
    """Convert a region to COCO polygons or a COCO RLE."""
    height, width = shape
    if kind == 'polygonlabels':
        points = entry(value, 'points', list, place)
        try:
            flat = np.array(points, dtype=float) * [width, height] / 100
        except (TypeError, ValueError):
            raise ValueError(f'{place}: points {str(points)[:60]}, expected '
                             'a list of [x, y] in percent') from None
        return [flat.ravel().tolist()]
    mask = decode_brush(entry(value, 'rle', list, place), shape, place)
    return mask_utils.encode(np.asfortranarray(mask))


def decode_brush(data: list, shape: tuple[int, int],
                 place: str) -> np.ndarray:
    """Decode the run-length code of a brush mask.

    The code is a stream of bits: the number of values (32), the length of a
    word less one (5), four lengths of counts less one (4 each), then runs. A
    run is one bit (1: one repeated word, 0: different words), the index of
    its length of count (2), its length less one, and its words. The values are
    those of an RGBA image.

    Args:
        data: bytes as integers.
        shape: (height, width).
        place: the file and the place in it, for the message.

    Returns:
        (H, W) uint8, 1 where the image is not transparent.

    Raises:
        ValueError: the code is damaged or has another size.
    """
    size = 4 * shape[0] * shape[1]
    try:
        bits = np.unpackbits(np.array(data, dtype=np.uint8))
        values = decode_runs(Bits(bits), size)
    except (IndexError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f'{place}: a brush mask cannot be decoded '
                         f'({error}): export the file again') from None
    return (values.reshape(*shape, 4)[..., 3] > 0).astype(np.uint8)


class Bits:
    """A stream of bits.

    Args:
        bits: (n,) of 0 and 1.
    """

    def __init__(self, bits: np.ndarray) -> None:
        self.text = ''.join(map(str, bits.tolist()))
        self.position = 0

    def read(self, count: int) -> int:
        """Read an unsigned number of ``count`` bits."""
        text = self.text[self.position:self.position + count]
        if len(text) < count:
            raise IndexError('it is cut short')
        self.position += count
        return int(text, 2)


def decode_runs(bits: Bits, size: int) -> np.ndarray:
    """Decode the runs of :func:`decode_brush` to (size,) uint8."""
    if (count := bits.read(32)) != size:
        raise ValueError(f'{count} values, expected {size}')
    word = bits.read(5) + 1
    lengths = [bits.read(4) + 1 for _ in range(4)]
    values = np.zeros(size, dtype=np.uint8)
    start = 0
    while start < size:
        repeated = bits.read(1)
        stop = start + bits.read(lengths[bits.read(2)]) + 1
        if stop > size:
            raise ValueError(f'a run ends at {stop} of {size} values')
        if repeated:
            values[start:stop] = bits.read(word)
        else:
            values[start:stop] = [
                bits.read(word) for _ in range(start, stop)
            ]
        start = stop
    return values
