"""One geometric decision for all frames, masks and boxes of a clip."""
import random

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from PIL import Image

from mmrvos.registry import TRANSFORMS

from .flip_words import swap_left_right, swap_up_down
from .loading import masks_to_boxes


def swap_left_right_substrings(text: str) -> str:
    """The official rule, which also turns "bright" into "bleft"."""
    return text.replace('left', '@').replace('right', 'left').replace(
        '@', 'right')


def flip_images(images: np.ndarray, code: int) -> np.ndarray:
    """Mirror each of (N, H, W[, 3]) uint8: code 1 left-right, 0 up-down.

    A reversed view would be free here, and slow in every step to come.
    """
    out = np.empty_like(images)
    for image, target in zip(images, out, strict=True):
        cv2.flip(image, code, dst=target)
    return out


@TRANSFORMS.register_module()
class ClipFlip(BaseTransform):
    """Mirror the clip and the words that say where things are.

    Boxes become (W - x2, y1, W - x1, y2): with the last pixel inside, one
    pixel beside the mirrored mask's own box, as in the official code.

    Required and modified keys: ``frames``, ``expressions``; ``masks`` and
    ``boxes`` if there.

    Args:
        prob: of mirroring.
        direction: 'horizontal' or 'vertical'.
        substrings: swap "left" and "right" inside longer words too, as the
            official ReferFormer does; by default whole words only.
    """

    def __init__(self,
                 prob: float = 0.5,
                 direction: str = 'horizontal',
                 substrings: bool = False) -> None:
        if direction not in ('horizontal', 'vertical'):
            raise ValueError(
                f'ClipFlip got direction={direction!r}, expected '
                "'horizontal' or 'vertical'")
        if substrings and direction == 'vertical':
            raise ValueError(
                'ClipFlip: substrings=True is the official horizontal rule; '
                'there is none for vertical flips')
        self.prob = prob
        self.direction = direction
        self.substrings = substrings

    @cache_randomness
    def is_applied(self) -> bool:
        return random.random() < self.prob

    def swap(self, text: str) -> str:
        """The sentence that is true of the mirrored clip."""
        if self.direction == 'vertical':
            return swap_up_down(text)
        if self.substrings:
            return swap_left_right_substrings(text)
        return swap_left_right(text)

    def transform(self, results: dict) -> dict:
        if not self.is_applied():
            return results
        height, width = results['frames'].shape[1:3]
        axis, size = (0, width) if self.direction == 'horizontal' else (
            1, height)
        results['frames'] = flip_images(results['frames'], 1 - axis)
        if 'masks' in results:
            masks = results['masks'].reshape(-1, height, width)
            masks = flip_images(masks.view(np.uint8), 1 - axis).view(bool)
            results['masks'] = masks.reshape(results['masks'].shape)
            boxes = results['boxes'].copy()
            boxes[..., axis] = size - results['boxes'][..., axis + 2]
            boxes[..., axis + 2] = size - results['boxes'][..., axis]
            results['boxes'] = boxes
        results['expressions'] = [
            dict(e, text=self.swap(e['text'])) for e in results['expressions']
        ]
        results['flips'] = (*results.get('flips', ()), self.direction)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'direction={self.direction!r}, '
                f'substrings={self.substrings})')


def resized_shape(height: int,
                  width: int,
                  short: int,
                  longest: int | None,
                  exact: bool = False) -> tuple[int, int]:
    """Compute the new (height, width) of a frame.

    Args:
        height, width: of the frame.
        short: wanted short side.
        longest: maximum of the long side. Rounding may exceed it by a pixel.
        exact: see :class:`ClipResize`.
    """
    low, high = min(height, width), max(height, width)
    if exact and longest is not None and (
            wanted := int(short * high / low)) > longest:
        short = int(longest * short / wanted)
        return (longest, short) if width < height else (short, longest)
    if longest is not None and high / low * short > longest:
        short = int(round(longest * low / high))
    if low == short:
        return height, width
    if width < height:
        return int(short * height / width), short
    return short, int(short * width / height)


def nearest_indices(new: int, old: int) -> np.ndarray:
    """Source index of every target index, as PyTorch's 'nearest' in float32.

    The clip is for a product that rounds up to the size itself.
    """
    scale = np.float32(old) / np.float32(new)
    inds = np.floor(np.arange(new, dtype=np.float32) * scale)
    return np.minimum(inds.astype(np.int64), old - 1)


def resize_frames_torch(frames: np.ndarray,
                        shape: tuple[int, int]) -> np.ndarray:
    """As :func:`resize_frames` within two grey levels, and 6 times faster.

    PyTorch's kernel has coarser weights; most pixels are equal.
    """
    # a view whose memory is channels last, which has the fast kernel
    clip = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    clip = F.interpolate(clip, size=shape, mode='bilinear', antialias=True)
    return clip.permute(0, 2, 3, 1).numpy()


def resize_frames(frames: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """PIL's antialiased bilinear; (T, H, W, 3) to (T, h, w, 3) uint8."""
    out = np.empty((len(frames), *shape, 3), dtype=np.uint8)
    for t, frame in enumerate(frames):
        image = Image.fromarray(frame)
        out[t] = np.asarray(
            image.resize(shape[::-1], Image.Resampling.BILINEAR))
    return out


def resize_masks(masks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Nearest; (..., H, W) to (..., h, w)."""
    rows = nearest_indices(shape[0], masks.shape[-2])
    cols = nearest_indices(shape[1], masks.shape[-1])
    return masks.take(rows, axis=-2).take(cols, axis=-1)


@TRANSFORMS.register_module()
class ClipResize(BaseTransform):
    """Resize to a short side drawn once for the clip.

    Required and modified keys: ``frames``, ``masks`` and ``boxes`` if there,
    ``img_shape``.

    Args:
        short_sides: one size, or sizes to draw from; None keeps the size.
        longest: maximum of the long side; None for none, as the official
            inference on videos has it.
        backend: 'pillow' gives the official pixels; 'torch' the same within
            two grey levels, and fast enough not to hold up training.
        scale: factor of both sizes, for test-time augmentation.
        exact: where ``longest`` limits a frame, its long side becomes exactly
            ``longest`` and its short side is rounded down, as torchvision
            does (inference of SAMWISE). False rounds the short side to the
            nearest, and the long side follows from it (DETR and its
            successors).
    """

    BACKENDS = {'pillow': resize_frames, 'torch': resize_frames_torch}

    def __init__(self,
                 short_sides: int | list[int] | None,
                 longest: int | None = None,
                 backend: str = 'pillow',
                 scale: float = 1.,
                 exact: bool = False) -> None:
        if not scale > 0:
            raise ValueError(f'ClipResize got scale={scale}, expected a '
                             'number above 0')
        if backend not in self.BACKENDS:
            raise ValueError(
                f'ClipResize got backend={backend!r}, expected one of '
                f'{sorted(self.BACKENDS)}')
        self.short_sides = short_sides and (
            [short_sides] if isinstance(short_sides, int) else
            list(short_sides))
        self.longest = longest
        self.scale = scale
        self.backend = backend
        self.exact = exact

    @cache_randomness
    def sample_size(self) -> int:
        return random.choice(self.short_sides)

    def transform(self, results: dict) -> dict:
        old = results['frames'].shape[1:3]
        short = self.sample_size() if self.short_sides else min(old)
        longest = self.longest and round(self.scale * self.longest)
        new = resized_shape(*old, max(1, round(self.scale * short)), longest,
                            self.exact)
        if new != old:
            resize = self.BACKENDS[self.backend]
            results['frames'] = resize(results['frames'], new)
            if 'masks' in results:
                results['masks'] = resize_masks(results['masks'], new)
                ratio = np.array([new[1] / old[1], new[0] / old[0]] * 2,
                                 dtype=np.float32)
                results['boxes'] = results['boxes'] * ratio
        results['img_shape'] = new
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(short_sides={self.short_sides}, '
                f'longest={self.longest}, backend={self.backend!r}, '
                f'scale={self.scale}, exact={self.exact})')


@TRANSFORMS.register_module()
class ClipRandomCrop(BaseTransform):
    """Cut one region out of all frames.

    The boxes are cut too, not drawn anew from the masks: an object can keep a
    box though none of its pixels is left, as in the official code.

    Required and modified keys: ``frames``, ``masks`` and ``boxes`` if there,
    ``img_shape``.

    Args:
        min_size: smallest width and height.
        max_size: largest.
    """

    def __init__(self, min_size: int = 384, max_size: int = 600) -> None:
        if not 0 < min_size <= max_size:
            raise ValueError(
                f'ClipRandomCrop got min_size={min_size}, max_size='
                f'{max_size}, expected 0 < min_size <= max_size')
        self.min_size = min_size
        self.max_size = max_size

    @cache_randomness
    def sample_region(self, height: int,
                      width: int) -> tuple[int, int, int, int]:
        """(top, left, height, width) of the region."""
        # frames smaller than min_size keep that side whole
        new_w = random.randint(
            min(self.min_size, width), min(self.max_size, width))
        new_h = random.randint(
            min(self.min_size, height), min(self.max_size, height))
        top = random.randint(0, height - new_h)
        left = random.randint(0, width - new_w)
        return top, left, new_h, new_w

    def transform(self, results: dict) -> dict:
        region = self.sample_region(*results['frames'].shape[1:3])
        return crop_clip(results, *region)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(min_size={self.min_size}, '
                f'max_size={self.max_size})')


def crop_clip(results: dict, top: int, left: int, height: int,
              width: int) -> dict:
    """Cut a region; see :class:`ClipRandomCrop`."""
    rows, cols = slice(top, top + height), slice(left, left + width)
    results['frames'] = results['frames'][:, rows, cols]
    if 'masks' in results:
        results['masks'] = results['masks'][..., rows, cols]
        boxes = results['boxes'] - np.array([left, top] * 2, dtype=np.float32)
        limit = np.array([width, height] * 2, dtype=np.float32)
        results['boxes'] = np.clip(boxes, 0, limit)
    results['img_shape'] = (height, width)
    return results


@TRANSFORMS.register_module()
class CheckValid(BaseTransform):
    """Decide anew in which frames an expression's object is to be seen.

    A frame counts if its box has an area; other boxes become zero. Expressions
    that are left without any frame are dropped, and if none remains the data
    set draws another sample: a target needs at least one frame.

    Required and modified keys: ``boxes``, ``valid``, ``masks``,
    ``expressions``; ``objects`` if there.
    """

    def transform(self, results: dict) -> dict | None:
        boxes = results['boxes']
        valid = (boxes[..., 2] > boxes[..., 0]) & (
            boxes[..., 3] > boxes[..., 1])
        kept = np.flatnonzero(valid.any(axis=1))
        # rows of expressions, and behind them rows of objects
        num = len(results['expressions'])
        expressions = [results['expressions'][i] for i in kept[kept < num]]
        if not expressions:
            return None
        results['valid'] = valid[kept]
        results['boxes'] = np.where(valid[..., None], boxes, 0)[kept]
        if kept.size < len(boxes):
            results['masks'] = results['masks'][kept]
            results['expressions'] = expressions
            if 'objects' in results:
                results['objects'] = [
                    results['objects'][i - num] for i in kept[kept >= num]
                ]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class ClipRandomZoom(BaseTransform):
    """Enlarge or shrink the clip about a random point, the size unchanged.

    What comes in from outside has the clip's mean colour (a mirrored border
    would bring in unlabelled copies of objects). Boxes follow the masks anew,
    because an object may be cut. Not part of any official recipe; for data
    sets small enough that place and size would be learnt by heart.

    Required and modified keys: ``frames``, ``masks``, ``boxes``, ``valid``.

    Args:
        scale: range of the factor; above 1 enlarges.
        shift: largest shift, as a share of the width and height.
        prob: of doing it.
    """

    def __init__(self,
                 scale: tuple[float, float] = (0.8, 1.25),
                 shift: float = 0.1,
                 prob: float = 1.0) -> None:
        self.scale = tuple(scale)
        self.shift = shift
        self.prob = prob

    @cache_randomness
    def sample_matrix(self, height: int, width: int) -> np.ndarray | None:
        """(2, 3) map from new to old pixels, or None."""
        if random.random() >= self.prob:
            return None
        step = 1 / random.uniform(*self.scale)
        dx = random.uniform(-self.shift, self.shift) * width
        dy = random.uniform(-self.shift, self.shift) * height
        cx, cy = (width - 1) / 2, (height - 1) / 2
        return np.array([[step, 0, cx - step * cx - dx],
                         [0, step, cy - step * cy - dy]])

    def transform(self, results: dict) -> dict:
        height, width = results['frames'].shape[1:3]
        matrix = self.sample_matrix(height, width)
        if matrix is None:
            return results
        fill = results['frames'].mean(axis=(0, 1, 2)).tolist()
        results['frames'] = np.stack([
            warp(frame, matrix, cv2.INTER_LINEAR, fill)
            for frame in results['frames']
        ])
        shape = results['masks'].shape
        results['masks'] = np.stack([
            warp(mask, matrix, cv2.INTER_NEAREST, 0)
            for mask in results['masks'].reshape(-1, height, width).view(
                np.uint8)
        ]).view(bool).reshape(shape)
        results['boxes'], results['valid'] = masks_to_boxes(results['masks'])
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(scale={self.scale}, '
                f'shift={self.shift}, prob={self.prob})')


def warp(image: np.ndarray, matrix: np.ndarray, flags: int,
         fill: float | list[float]) -> np.ndarray:
    """``cv2.warpAffine`` by a (2, 3) map from new to old pixels."""
    return cv2.warpAffine(
        np.ascontiguousarray(image),
        matrix,
        image.shape[1::-1],
        flags=flags | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill)
