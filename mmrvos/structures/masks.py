"""Ground-truth masks that are decoded when they are read."""
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.utils import checked_rle, read_pixels


# The expressions of a video read the same frames one after the other.
@lru_cache(maxsize=8)
def _read_label_map(path: str) -> np.ndarray:
    try:
        labels = read_pixels(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: every listed frame needs its annotation; '
            'unpack the annotations again') from None
    if labels.ndim != 2:
        raise ValueError(
            f'{path} has {labels.ndim} dimensions, expected a palette or grey '
            'PNG whose values are object ids')
    if labels.dtype == bool:  # a PNG of one bit per pixel
        labels = labels.astype(np.uint8)
    labels.setflags(write=False)
    return labels


class UnknownObjectError(ValueError):
    """No mask of a video shows an object that an expression names."""


class MaskSource(metaclass=ABCMeta):
    """Masks of a video's objects, read frame by frame."""

    @abstractmethod
    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        """Read the union of some objects in one frame.

        Args:
            obj_ids: objects of the target; an empty mask if there are none.
            frame: index into the video's list of frames.

        Returns:
            (H, W) bool.

        Raises:
            FileNotFoundError, ValueError: a file is missing or damaged, or
                the video has no such object.
        """

    def objects(self, frame: int) -> list[str]:
        """List the ids of all annotated objects that are in a frame.

        Raises:
            ValueError: the annotation does not list objects per frame.
        """
        raise ValueError(
            f'{type(self).__name__} does not list the objects of a frame: '
            'train on this data set without all_objects')

    def void(self, frame: int) -> np.ndarray | None:
        """Return the pixels that are not scored, (H, W) bool, or None."""
        return None


class PNGMasks(MaskSource):
    """One palette PNG per frame, pixel value = object id (Ref-YouTube-VOS).

    Args:
        root: folder of the PNGs of the video.
        frame_names: names of the frames without suffix.
        void_value: pixel value that is not scored (255 in DAVIS), or None.
    """

    #: (root, id) of objects that a frame shows; each is searched once
    #: per process
    _known: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self,
                 root: str | Path,
                 frame_names: Sequence[str],
                 void_value: int | None = None) -> None:
        self.root = str(root)
        self.frame_names = list(frame_names)
        self.void_value = void_value

    def label_map(self, frame: int) -> np.ndarray:
        """Read the object ids of a frame, (H, W) uint8, not writable."""
        return _read_label_map(f'{self.root}/{self.frame_names[frame]}.png')

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        labels = self.label_map(frame)
        union = np.zeros(labels.shape, dtype=bool)
        for obj_id in obj_ids:
            mask = labels == int(obj_id)
            if (self.root, obj_id) not in self._known:
                self._check_known(obj_id, mask)
            union |= mask
        return union

    def check_ids(self) -> None:
        """Check that the label maps hold object ids, and not only the void.

        Reads frames up to the first one that shows an object.

        Raises:
            ValueError: all pixels are background or void.
        """
        frames = range(len(self.frame_names))
        if not any(self.objects(t) for t in frames) and any(
                self.void(t).any() for t in frames):
            raise ValueError(f'{self.root}: no mask shows an object; '
                             f'{self.describe_values()}')

    def _check_known(self, obj_id: str, mask: np.ndarray) -> None:
        """Check that at least one frame of the video shows an object."""
        frames = range(len(self.frame_names))
        if not mask.any() and not any(
                (self.label_map(t) == int(obj_id)).any() for t in frames):
            raise UnknownObjectError(
                f'{self.root}: no mask shows object {obj_id!r}; '
                f'{self.describe_values()}')
        self._known.add((self.root, obj_id))

    def describe_values(self) -> str:
        """List the pixel values of all frames, for a message."""
        values = set()
        for t in range(len(self.frame_names)):
            values.update(np.unique(self.label_map(t)).tolist())
        text = f'the pixel values of the video are {sorted(values)}'
        if values <= {0, 255}:
            text += ('. Masks of 0 and 255, as in DAVIS-2016, hold no object '
                     'ids: tools/dataset_converters/custom.py turns 255 into '
                     'object 1')
        return text

    def objects(self, frame: int) -> list[str]:
        return [
            str(value) for value in np.unique(self.label_map(frame))
            if value not in (0, self.void_value)
        ]

    def void(self, frame: int) -> np.ndarray | None:
        if self.void_value is None:
            return None
        return self.label_map(frame) == self.void_value


class RLEMasks(MaskSource):
    """One COCO RLE per object and frame (``mask_dict`` of MeViS).

    Args:
        rles: {object id: one RLE or None per frame}. All are checked, see
            :func:`~mmrvos.utils.checked_rle`.
        shape: (height, width) of the frames; None takes that of the RLEs.

    Raises:
        ValueError: an RLE is damaged, or the RLEs have different sizes.
    """

    def __init__(self,
                 rles: dict[str, list[dict | None]],
                 shape: tuple[int, int] | None = None) -> None:
        self.shape = None if shape is None else tuple(shape)
        self.rles = {
            obj_id: [
                rle if rle is None else self._check(
                    rle, f'object {obj_id!r}, frame {t} (from 0)')
                for t, rle in enumerate(frames)
            ]
            for obj_id, frames in rles.items()
        }
        if self.shape is None:
            raise ValueError('no mask and no shape, expected one of them')

    def _check(self, rle: Any, place: str) -> dict:
        try:
            rle = checked_rle(rle)
        except ValueError as error:
            raise ValueError(f'{place}: {error}') from None
        size = tuple(rle['size'])
        self.shape = self.shape or size
        if size != self.shape:
            raise ValueError(
                f'{place}: an RLE of size {size}, expected {self.shape} '
                '(height, width) as in the other frames')
        return rle

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        # Column by column, as pycocotools decodes: OR of two orders is slow.
        mask = np.zeros(self.shape, dtype=bool, order='F')
        for obj_id in obj_ids:
            if obj_id not in self.rles:
                raise UnknownObjectError(
                    f'object {obj_id!r} has no masks; known objects: '
                    f'{sorted(self.rles)}')
            rle = self.rles[obj_id][frame]
            if rle is not None:
                mask |= mask_utils.decode(rle).view(bool)
        return mask

    def objects(self, frame: int) -> list[str]:
        return [name for name, rles in self.rles.items() if rles[frame]]
