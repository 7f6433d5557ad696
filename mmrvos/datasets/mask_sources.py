"""Ground truth in the file formats of the benchmarks.

All classes are a :class:`mmrvos.structures.MaskSource`: files are opened when
a frame is read, and only the requested objects are decoded.
"""
import itertools
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.structures import MaskSource
from mmrvos.utils import (
    MAX_ANNOTATION_BYTES,
    check_file,
    checked_rle,
    image_shape,
    is_hidden,
    read_pixels,
)

#: Largest mask array of one HDF5 or .mat file, in bytes.
MAX_MASK_BYTES = 2**30


class ClipMasks(MaskSource):
    """Some frames of another source, numbered from 0.

    Args:
        source: of the whole video.
        frame_inds: the clip's frames in it.
    """

    def __init__(self, source: MaskSource, frame_inds: Sequence[int]) -> None:
        self.source = source
        self.frame_inds = list(frame_inds)

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        return self.source.read(obj_ids, self.frame_inds[frame])

    def objects(self, frame: int) -> list[str]:
        return self.source.objects(self.frame_inds[frame])

    def void(self, frame: int) -> np.ndarray | None:
        return self.source.void(self.frame_inds[frame])

    def label_map(self, frame: int) -> np.ndarray:
        """(H, W) uint8 object ids, where the source is a :class:`PNGMasks`.
        """
        return self.source.label_map(self.frame_inds[frame])


class ObjectFolderMasks(MaskSource):
    """A folder per object with a binary PNG per frame (Long-RVOS).

    Args:
        root: the video's folder; masks lie at ``root/<object>/<frame>.png``.
        frame_names: the frames' names without extension.
        shape: (height, width) of a frame without a file. An object without
            a file, or without a folder, is absent from that frame. None takes
            the shape of any file of the video.
    """

    def __init__(self,
                 root: str | Path,
                 frame_names: Sequence[str],
                 shape: tuple[int, int] | None = None) -> None:
        self.root = str(root)
        self.frame_names = list(frame_names)
        self.shape = shape

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        masks = [self._read_one(obj_id, frame) for obj_id in obj_ids]
        found = [mask for mask in masks if mask is not None]
        if found:
            return np.logical_or.reduce(found)
        return np.zeros(self._empty_shape(obj_ids), dtype=bool)

    def _read_one(self, obj_id: str, frame: int) -> np.ndarray | None:
        path = Path(self.root) / obj_id / f'{self.frame_names[frame]}.png'
        return read_pixels(path, 'L') > 0 if path.exists() else None

    def _empty_shape(self, obj_ids: Sequence[str]) -> tuple[int, int]:
        if self.shape is None:
            # An object may have no file: then another one gives the size.
            root = Path(self.root)
            folders = itertools.chain(
                (root / i for i in obj_ids), root.glob('*'))
            file = next((path for folder in folders
                         for path in folder.glob('*.png')
                         if not is_hidden(path)), None)
            if file is None:
                raise ValueError(
                    f'{self.root} holds no PNG: the size of its frames is not '
                    'known; unpack the annotations again')
            self.shape = image_shape(file)
        return self.shape


class H5Masks(MaskSource):
    """A2D-Sentences: an h5 file per annotated frame, named from 1 on.

    ``instance`` lists the objects; ``reMask`` is (n, W, H), or (W, H) for one.

    Args:
        root: the video's folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        wanted = [int(i) for i in obj_ids]
        return read_a2d_frame(self.path(frame), wanted)[1].any(axis=0)

    def objects(self, frame: int) -> list[str]:
        return [str(i) for i in read_a2d_frame(self.path(frame))[0]]

    def path(self, frame: int) -> str:
        return f'{self.root}/{frame + 1:05d}.h5'


def read_a2d_frame(
        path: str,
        wanted: Sequence[int] | None = None) -> tuple[list[int], np.ndarray]:
    """Instance ids and masks of an A2D h5 file.

    Args:
        path: the file.
        wanted: ids of the instances to decode; None decodes all.

    Returns:
        The ids, and masks (n, H, W) bool.

    Raises:
        FileNotFoundError, ValueError: it is missing, broken, or lacks a wanted
            instance.
        ModuleNotFoundError: h5py, which nothing else needs, is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'A2D-Sentences keeps its masks in HDF5 files: pip install '
            'h5py') from None
    try:
        check_file(path, MAX_ANNOTATION_BYTES)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: A2D-Sentences needs the h5 files of '
            'text_annotations/a2d_annotation_with_instances; this frame is '
            'listed as annotated') from None
    try:
        with h5py.File(path, 'r') as file:
            known = own_numbers(file, 'instance')[()]
            known = np.ravel(known).astype(int).tolist()
            stored = own_numbers(file, 'reMask')
            count = 1 if stored.ndim == 2 else len(stored)
            ids = known if wanted is None else list(wanted)
            if count != len(known):
                raise ValueError(f'{count} masks for {len(known)} instances')
            masks = [
                stored[()] if stored.ndim == 2 else stored[known.index(i)]
                for i in ids if i in known
            ]
            size = stored.shape[:-3:-1]  # Matlab's order: (W, H)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(
            f'{path} cannot be read ({error}): copy it again') from None
    if len(masks) < len(ids):
        raise ValueError(
            f'{path} has no instance {sorted(set(ids) - set(known))}; it '
            f'knows {known}')
    return ids, np.reshape([m.T for m in masks], (-1, *size)) > 0


def own_numbers(file: Any, name: str) -> Any:
    """A numeric dataset whose values are stored in the h5 file itself.

    HDF5 can refer to other files, and can declare a dataset of any size
    without storing it.

    Args:
        file: an open ``h5py.File``.
        name: of the dataset.

    Returns:
        The ``h5py.Dataset``, not read yet.

    Raises:
        KeyError: there is no such dataset.
        ValueError: the values are stored elsewhere, are no numbers, or are
            too many.
    """
    import h5py
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f'{name} is a link to other data')
    data = file[name]
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in 'biuf':
        raise ValueError(f'{name} is not an array of numbers')
    if data.external or data.is_virtual:
        raise ValueError(f'{name} is stored in another file')
    if data.nbytes > MAX_MASK_BYTES:
        raise ValueError(f'{name} has {data.nbytes} bytes, more than the '
                         f'{MAX_MASK_BYTES} allowed')
    return data


class MatMasks(MaskSource):
    """JHMDB-Sentences: one .mat per video, ``part_mask`` (H, W, T).

    Args:
        path: the ``puppet_mask.mat``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        masks = read_puppet_masks(self.path)
        if frame >= masks.shape[2]:
            raise ValueError(
                f'{self.path} holds {masks.shape[2]} masks, expected one for '
                f'frame {frame} (from 0)')
        # A video shows one person. An empty list means no target.
        return masks[..., frame] > 0 if obj_ids else np.zeros(
            masks.shape[:2], dtype=bool)


@lru_cache(maxsize=2)
def read_puppet_masks(path: str) -> np.ndarray:
    """(H, W, T) of a JHMDB ``puppet_mask.mat``.

    Raises:
        FileNotFoundError, ValueError: it is missing or broken.
    """
    try:
        check_file(path, MAX_MASK_BYTES)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: JHMDB-Sentences needs its puppet_mask '
            'folder') from None
    from scipy.io import loadmat  # slow to import
    try:
        masks = loadmat(
            path, appendmat=False, variable_names=['part_mask'])['part_mask']
        if not isinstance(masks, np.ndarray) or masks.dtype.kind not in 'biuf':
            raise ValueError('part_mask is not an array of numbers')
        if masks.ndim not in (2, 3):
            raise ValueError(f'part_mask has {masks.ndim} dimensions, '
                             'expected 3')
    except Exception as error:  # scipy raises many kinds on damaged files
        raise ValueError(
            f'{path} cannot be read ({error}): copy it again') from None
    return masks.reshape(*masks.shape[:2], -1)


class PolygonMasks(MaskSource):
    """Objects of one image as COCO polygons or RLE (RefCOCO, RefCOCO+,
    RefCOCOg).

    Args:
        segmentations: {object id: COCO segmentation}. All are checked.
        shape: (height, width) of the image.

    Raises:
        ValueError: a segmentation is damaged.
    """

    def __init__(self, segmentations: dict[str, list | dict],
                 shape: tuple[int, int]) -> None:
        self.shape = tuple(shape)
        self.segmentations: dict[str, list | dict] = {}
        for obj_id, segmentation in segmentations.items():
            self.add(obj_id, segmentation)

    def add(self, obj_id: str, segmentation: list | dict) -> None:
        """Add an object.

        Raises:
            ValueError: its segmentation is damaged.
        """
        try:
            if isinstance(segmentation, list):
                check_polygons(segmentation, self.shape)
            else:
                segmentation = checked_rle(segmentation)
                if tuple(segmentation['size']) != self.shape:
                    raise ValueError(
                        f'an RLE of size {segmentation["size"]}, expected '
                        f'{self.shape} (height, width) as the image')
        except ValueError as error:
            raise ValueError(f'object {obj_id!r}: {error}') from None
        self.segmentations[obj_id] = segmentation

    def objects(self, frame: int) -> list[str]:
        return sorted(self.segmentations)

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        mask = np.zeros(self.shape, dtype=bool)
        for obj_id in obj_ids:
            rle = self.segmentations[obj_id]
            if isinstance(rle, list):
                rle = mask_utils.merge(
                    mask_utils.frPyObjects(rle, *self.shape))
            mask |= mask_utils.decode(rle).astype(bool)
        return mask


def check_polygons(polygons: list, shape: tuple[int, int]) -> None:
    """Check the polygons of an object before pycocotools draws them.

    The time and memory of drawing grow with the coordinates, and four numbers
    would be drawn as a box.

    Args:
        polygons: lists [x1, y1, x2, y2, ...] in pixels.
        shape: (height, width) of the image.

    Raises:
        ValueError: there is no polygon, or one has less than three points, or
            coordinates that are no numbers or far outside the image.
    """
    if not polygons:
        raise ValueError('no polygon, expected at least one')
    low, high = -max(shape), 2 * max(shape)
    for polygon in polygons:
        if not (isinstance(polygon, list) and len(polygon) >= 6
                and len(polygon) % 2 == 0
                and all(type(v) in (int, float) and low <= v <= high
                        for v in polygon)):
            raise ValueError(
                f'polygon {str(polygon)[:60]}, expected a list of x, y of at '
                f'least three points, each between {low} and {high}')
