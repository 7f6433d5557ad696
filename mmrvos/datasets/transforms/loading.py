"""Decode the sampled frames and masks of a clip."""
import warnings
from itertools import chain

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmrvos.registry import TRANSFORMS
from mmrvos.utils import check_file, read_image

#: A2D-Sentences lists a few frames more than some of its videos have.
SURPLUS_FRAMES = 3


def read_video_frames(path: str, inds: list[int]) -> list[np.ndarray]:
    """Read some frames of a video file, each (H, W, 3) uint8 RGB.

    Frames before the last wanted one are decoded, but not converted, because
    seeking by index is not exact for every codec. Indices beyond the end give
    the last frame; a warning says so if more than ``SURPLUS_FRAMES`` are
    missing.

    Raises:
        FileNotFoundError, ValueError: the file is missing, cannot be opened,
            or ends before the first wanted frame.
    """
    try:
        check_file(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: the annotations list this video') from None
    video = cv2.VideoCapture(path)
    if not video.isOpened():
        raise ValueError(f'{path} cannot be opened as a video')
    wanted, found, count = set(inds), {}, 0
    while count <= max(inds) and video.grab():
        if count in wanted:
            found[count] = cv2.cvtColor(video.retrieve()[1],
                                        cv2.COLOR_BGR2RGB)
        count += 1
    video.release()
    if count <= min(inds):
        raise ValueError(
            f'{path} ends after {count} frames, frame {min(inds)} was '
            'expected: copy it again')
    if count <= max(inds):
        if count + SURPLUS_FRAMES <= max(inds):
            warnings.warn(
                f'{path}: {count} of at least {max(inds) + 1} frames can be '
                'read, the last one stands for the missing ones; copy the '
                'file again',
                stacklevel=2)
        return read_video_frames(path, [min(i, count - 1) for i in inds])
    return [found[i] for i in inds]


@TRANSFORMS.register_module()
class LoadFrames(BaseTransform):
    """Decode the sampled frames.

    EXIF orientations are applied, unless only the stored pixels have the size
    of the masks.

    Required keys: ``frame_inds``, ``img_paths`` (all frames of the video) or
    ``video_path``; ``mask_source`` if present.

    Added keys: ``frames`` (T, H, W, 3) uint8 RGB, ``ori_shape``,
    ``img_shape``.
    """

    def transform(self, results: dict) -> dict:
        inds = results['frame_inds'].tolist()
        if 'video_path' in results:
            frames = read_video_frames(results['video_path'], inds)
        else:
            decoded = {i: self._read(results, i) for i in sorted(set(inds))}
            frames = [decoded[i] for i in inds]
        shapes = [frame.shape for frame in frames]
        if len(set(shapes)) > 1:
            odd = next(i for i, s in enumerate(shapes) if s != shapes[0])
            raise ValueError(
                f'video {results["video_id"]}: frame '
                f'{results["frame_names"][inds[odd]]} is {shapes[odd][:2]}, '
                f'frame {results["frame_names"][inds[0]]} is {shapes[0][:2]} '
                '(height, width); all must have one size')
        results['frames'] = np.stack(frames)
        results['ori_shape'] = results['img_shape'] = shapes[0][:2]
        return results

    @staticmethod
    def _read(results: dict, frame: int) -> np.ndarray:
        path, source = results['img_paths'][frame], results.get('mask_source')
        try:
            return read_image(
                path, lambda: source and source.read((), frame).shape)
        except FileNotFoundError:
            raise FileNotFoundError(
                f'{path} is missing: the annotations list this frame; unpack '
                'the images again') from None

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def mask_to_box(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    """Compute the box of a mask: its first and last column and row.

    The last pixel is inside, as in the official data sets, so the box of a
    single pixel has no area.

    Returns:
        (x1, y1, x2, y2), or None if the mask is empty.
    """
    cols = np.flatnonzero(mask.any(axis=0))
    if cols.size == 0:
        return None
    rows = np.flatnonzero(mask.any(axis=1))
    return cols[0], rows[0], cols[-1], rows[-1]


def masks_to_boxes(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the boxes of masks (..., H, W).

    Returns:
        Boxes (..., 4) float32, zero for empty masks, and (...) bool, False
        for empty masks.
    """
    boxes = np.zeros((*masks.shape[:-2], 4), dtype=np.float32)
    valid = np.zeros(masks.shape[:-2], dtype=bool)
    for place in np.ndindex(*valid.shape):
        box = mask_to_box(masks[place])
        if box is not None:
            boxes[place], valid[place] = box, True
    return boxes, valid


@TRANSFORMS.register_module()
class LoadClipMasks(BaseTransform):
    """Read the masks of every expression in the sampled frames.

    If only one frame is annotated (``valid_index``), or targets count in a
    part of the video (``valid_span``), the masks of other frames are empty.
    An annotated ``box`` of an expression (RefCOCO) replaces the box of its
    mask.

    Required keys: ``frame_inds``, ``frames``, ``mask_source``,
    ``expressions``.

    Added keys: ``masks`` (E, T, H, W) bool, the union of an expression's
    objects; ``boxes`` (E, T, 4) float32 x1 y1 x2 y2 in pixels, the last pixel
    inside, zero where absent; ``valid`` (E, T) bool.

    Args:
        all_objects: append one row per annotated object of the sampled
            frames to the E rows, and list the M ids in ``objects``. For
            methods that learn from all objects (MTTR).
    """

    def __init__(self, all_objects: bool = False) -> None:
        self.all_objects = all_objects

    def transform(self, results: dict) -> dict:
        source, inds = results['mask_source'], results['frame_inds'].tolist()
        if source is None:
            raise ValueError(
                f'video {results["video_id"]} has no masks: this split is '
                'published without annotations; leave LoadClipMasks out')
        targets = [tuple(e['obj_ids']) for e in results['expressions']]
        only = results.get('valid_index')
        first, last = results.get('valid_span', (0, max(inds)))
        annotated = [(t, frame) for t, frame in enumerate(inds)
                     if only in (None, t) and first <= frame <= last]
        if self.all_objects:
            found = (source.objects(frame) for _, frame in annotated)
            results['objects'] = sorted(set(chain.from_iterable(found)))
            targets += [(name, ) for name in results['objects']]
        masks = np.zeros(
            (len(targets), *results['frames'].shape[:3]), dtype=bool)
        for t, frame in annotated:
            seen = {}  # several expressions of one object are read once
            for e, target in enumerate(targets):
                if not target:  # nothing to find
                    continue
                if target not in seen:
                    seen[target] = source.read(target, frame)
                if seen[target].shape != masks.shape[2:]:
                    raise ValueError(
                        f'video {results["video_id"]}, frame '
                        f'{results["frame_names"][frame]}: its mask is '
                        f'{seen[target].shape}, the frame {masks.shape[2:]} '
                        '(height, width)')
                masks[e, t] = seen[target]
        results['masks'] = masks
        results['boxes'], results['valid'] = masks_to_boxes(masks)
        for e, expression in enumerate(results['expressions']):
            if 'box' in expression:
                results['boxes'][e] = expression['box']
                results['valid'][e] = True
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(all_objects={self.all_objects})'
