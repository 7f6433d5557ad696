"""The form of a video that every format is converted to."""
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.structures import MaskSource, RLEMasks
from mmrvos.utils import check_name, checked_rle

from ..annotation_files import in_order_of_time
from ..mask_sources import ClipMasks, check_polygons

#: keys of an annotation that may hold a sentence or a list of sentences
SENTENCE_KEYS = ('sentence', 'sentences', 'expression', 'expressions',
                 'caption', 'captions')
#: Largest number of objects in a video: pixel values of a label map.
MAX_OBJECTS = 255


@dataclass(frozen=True)
class ExportedVideo:
    """A video of an annotation file.

    Attributes:
        name: id of the video.
        files: images of its frames in order of time, relative to the folder
            of the frames.
        expressions: dicts of ``exp``, ``obj_id`` (list of str, pixel values of
            the label maps) and optionally ``type_id``.
        source: masks of its objects.
        objects: ids in ``source``; the k-th has pixel value k + 1.
    """
    name: str
    files: tuple[str, ...]
    expressions: list[dict]
    source: MaskSource
    objects: tuple[str, ...]

    def thinned(self, every: int) -> 'ExportedVideo':
        """Keep every ``every``-th frame, from the first one on."""
        kept = list(range(0, len(self.files), every))
        return replace(
            self,
            files=tuple(self.files[t] for t in kept),
            source=ClipMasks(self.source, kept))

    def label_map(self, frame: int) -> tuple[np.ndarray, int]:
        """Draw the objects of a frame into one label map.

        A smaller object is drawn over a larger one.

        Args:
            frame: index into ``files``.

        Returns:
            (H, W) uint8, and the number of pixels that several objects cover.
        """
        masks = [self.source.read([name], frame) for name in self.objects]
        labels = np.zeros(
            masks[0].shape if masks else self.source.read([], frame).shape,
            dtype=np.uint8)
        order = sorted(range(len(masks)), key=lambda k: -masks[k].sum())
        for k in order:
            labels[masks[k]] = k + 1
        covered = sum(int(mask.sum()) for mask in masks)
        return labels, covered - int((labels > 0).sum())


class VideoBuilder:
    """Collects the frames, regions and sentences of one video.

    Args:
        name: id of the video.
        source: annotation file, for messages.
    """

    def __init__(self, name: str, source: Path) -> None:
        self.name = check_name(name, 'video', source)
        self.source = source
        self.shapes: dict[str, tuple[int, int] | None] = {}
        #: {object: {file: parts of its mask as RLE}}
        self.regions: dict[str, dict[str, list[dict]]] = {}
        self.expressions: list[dict] = []

    @property
    def objects(self) -> list[str]:
        """Ids of the objects, in the order of the file."""
        return list(self.regions)

    def add_frame(self, file: str, shape: tuple[int, int] | None) -> None:
        """Add a frame.

        Args:
            file: its image, relative to the folder of the frames.
            shape: (height, width); None if it is not known yet.

        Raises:
            ValueError: the video has the frame already, whose masks would
                become one with these.
        """
        if check_name(file, 'image', self.source) in self.shapes:
            raise ValueError(
                f'{self.source}: video {self.name} has image {file} twice, '
                'expected different names (of Label Studio, the file and its '
                'folder count)')
        self.shapes[file] = shape

    def add_region(self, file: str, obj: str, segmentation: Any,
                   place: str) -> None:
        """Add a part of the mask of an object in a frame.

        Args:
            file: as passed to :meth:`add_frame`.
            obj: id of the object.
            segmentation: COCO polygons or RLE.
            place: the file and the place in it, for the message.

        Raises:
            ValueError: the segmentation is damaged or has another size.
        """
        shape = self.shapes[file]
        try:
            rle = to_rle(segmentation, shape)
        except ValueError as error:
            raise ValueError(f'{place}: {error}') from None
        self.regions.setdefault(obj, {}).setdefault(file, []).append(rle)

    def add_sentence(self, text: str, obj: str) -> None:
        """Add a sentence about an object; repeated sentences are one."""
        expression = dict(exp=text.strip(), obj_id=[obj])
        if expression['exp'] and expression not in self.expressions:
            self.expressions.append(expression)

    def build(self) -> ExportedVideo:
        """Return the video with its frames in order of time.

        Raises:
            ValueError: it has too many objects, its frames differ in size, or
                a sentence names an unknown object.
        """
        place = f'{self.source}: video {self.name}'
        files = list(self.shapes)
        files = [files[i] for i in in_order_of_time(files)]
        if len(set(self.shapes.values())) > 1:
            raise ValueError(
                f'{place} has frames of the sizes '
                f'{sorted(set(self.shapes.values()))} (height, width), '
                'expected one size: images without a folder in file_name are '
                'read as one video')
        if len(self.regions) > MAX_OBJECTS:
            raise ValueError(f'{place} has {len(self.regions)} objects, '
                             f'expected at most {MAX_OBJECTS}')
        rles = {
            obj: [merged(parts.get(file, [])) for file in files]
            for obj, parts in self.regions.items()
        }
        return ExportedVideo(self.name, tuple(files),
                             numbered(self.expressions, self.objects, place),
                             RLEMasks(rles, next(iter(self.shapes.values()))),
                             tuple(self.objects))


def numbered(expressions: Sequence[dict], objects: Sequence[str],
             place: str) -> list[dict]:
    """Replace the ids of objects by pixel values.

    Args:
        expressions: with ``obj_id``, ids in ``objects``.
        objects: the k-th has pixel value k + 1.
        place: the file and the video, for the message.

    Raises:
        ValueError: an id is not in ``objects``.
    """
    values = {name: str(k + 1) for k, name in enumerate(objects)}
    result = []
    for expression in expressions:
        for obj in expression['obj_id']:
            if obj not in values:
                raise ValueError(
                    f'{place}: {expression["exp"]!r} names object {obj!r}, '
                    f'but its objects are {", ".join(objects) or "none"}')
        result.append(
            expression | dict(
                obj_id=[values[obj] for obj in expression['obj_id']]))
    return result


def to_rle(segmentation: Any, shape: tuple[int, int]) -> dict:
    """Convert COCO polygons or a COCO RLE to a checked RLE.

    Raises:
        ValueError: it is damaged, or of another size than ``shape``.
    """
    if isinstance(segmentation, list):
        check_polygons(segmentation, shape)
        return mask_utils.merge(mask_utils.frPyObjects(segmentation, *shape))
    rle = checked_rle(segmentation)
    if tuple(rle['size']) != shape:
        raise ValueError(f'an RLE of size {rle["size"]}, expected {shape} '
                         '(height, width) as the image')
    return rle


def merged(parts: list[dict]) -> dict | None:
    """Merge the parts of a mask; None without parts."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return mask_utils.merge(parts)


def sentences_of(annotation: dict) -> list[str]:
    """Read the sentences in an annotation or in its ``attributes``."""
    found: list[str] = []
    attributes = annotation.get('attributes')
    for holder in (annotation, attributes):
        for key in SENTENCE_KEYS if isinstance(holder, dict) else ():
            value = holder.get(key)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and text.strip():
                    found.append(text)
    return found


def object_name(label: str) -> str:
    """Make a name that a table can list: blanks separate the objects."""
    return '_'.join(label.split())


def video_of(file: str, default: str) -> str:
    """Name the video of an image by its folder.

    >>> video_of('train/dog/00000.jpg', 'export')
    'train_dog'
    >>> video_of('00000.jpg', 'export')
    'export'
    """
    folder = PurePosixPath(file).parent.as_posix()
    return default if folder == '.' else folder.replace('/', '_')
