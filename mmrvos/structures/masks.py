"""Ground-truth masks that stay on disk (or as RLE) until somebody asks."""
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pycocotools.mask as mask_utils
from PIL import Image, UnidentifiedImageError

from mmrvos.utils import MAX_IMAGE_BYTES, check_file


@lru_cache(maxsize=8)
def _read_label_map(path: str) -> np.ndarray:
    """A few label maps are kept: the expressions of a video ask in turn."""
    try:
        with Image.open(check_file(path, MAX_IMAGE_BYTES)) as image:
            labels = np.array(image)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: every listed frame needs its annotation; '
            'unpack the annotations again') from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(
            f'{path} cannot be decoded ({error}): copy it again') from None
    if labels.ndim != 2:
        raise ValueError(
            f'{path} has {labels.ndim} dimensions, expected a palette or grey '
            'PNG whose values are object ids')
    labels.setflags(write=False)
    return labels


class MaskSource(metaclass=ABCMeta):
    """Masks of a video's objects, read frame by frame."""

    @abstractmethod
    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        """The union of some objects in one frame.

        Args:
            obj_ids: objects of the target; none gives an empty mask.
            frame: index into the video's list of frames.

        Returns:
            (H, W) bool.

        Raises:
            FileNotFoundError, ValueError: a file is missing or broken.
        """

    def objects(self, frame: int) -> list[str]:
        """Ids of all annotated objects that a frame shows.

        Raises:
            ValueError: this kind of annotation does not tell.
        """
        raise ValueError(
            f'{type(self).__name__} does not list the objects of a frame: '
            'train on this data set without all_objects')

    def void(self, frame: int) -> np.ndarray | None:
        """Pixels that must not be scored, (H, W) bool, or None."""
        return None


class PNGMasks(MaskSource):
    """A palette PNG a frame, pixel value = object id (Ref-YouTube-VOS).

    Args:
        root: folder of the video's PNGs.
        frame_names: the frames' names without extension.
        void_value: pixel value that is not scored (DAVIS: 255), if any.
    """

    def __init__(self,
                 root: str | Path,
                 frame_names: Sequence[str],
                 void_value: int | None = None) -> None:
        self.root = str(root)
        self.frame_names = list(frame_names)
        self.void_value = void_value

    def label_map(self, frame: int) -> np.ndarray:
        """(H, W) uint8, not writable."""
        return _read_label_map(f'{self.root}/{self.frame_names[frame]}.png')

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        labels = self.label_map(frame)
        if len(obj_ids) == 1:
            return labels == int(obj_ids[0])
        return np.isin(labels, [int(i) for i in obj_ids])

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
    """COCO RLE per object and frame (MeViS's ``mask_dict``).

    Args:
        rles: {object id: [RLE dict or None, one a frame]}.
        shape: (height, width) of the frames.
    """

    def __init__(self, rles: dict[str, list[dict | None]],
                 shape: tuple[int, int]) -> None:
        self.rles = rles
        self.shape = tuple(shape)

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        mask = np.zeros(self.shape, dtype=bool)
        for obj_id in obj_ids:
            if obj_id not in self.rles:
                raise ValueError(
                    f'object {obj_id!r} has no masks; known objects: '
                    f'{sorted(self.rles)}')
            rle = self.rles[obj_id][frame]
            if rle is not None:
                mask |= mask_utils.decode(rle).astype(bool)
        return mask

    def objects(self, frame: int) -> list[str]:
        return [name for name, rles in self.rles.items() if rles[frame]]
