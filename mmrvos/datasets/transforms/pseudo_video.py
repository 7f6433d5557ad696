# ruff: noqa: NPY002  MMEngine seeds the global generators of its workers
"""A still image as a short video, for joint training."""
import random

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmrvos.registry import TRANSFORMS

from .loading import masks_to_boxes
from .photometric import to_uint8


def add_brightness(image: np.ndarray, value: float) -> np.ndarray:
    """Add to all channels; (H, W, 3) uint8."""
    return to_uint8(image.astype(np.float32) + value)


def add_hue_saturation(image: np.ndarray, value: int) -> np.ndarray:
    """Add the same number to hue (a circle of 256) and saturation."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + value) % 256
    hsv[..., 1] = np.clip(hsv[..., 1] + value, 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB_FULL)


def blur_kernel(size: int, angle: float, direction: float) -> np.ndarray:
    """Motion blur along a line through the middle, (size, size) float32.

    Args:
        size: odd.
        angle: of the line, in degrees.
        direction: -1 to 1; the weights rise towards one end or the other.
    """
    kernel = np.zeros((size, size), dtype=np.float32)
    share = (direction + 1) / 2
    kernel[:, size // 2] = np.linspace(share, 1 - share, size)
    centre = ((size - 1) / 2, ) * 2
    turn = cv2.getRotationMatrix2D(centre, angle, 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size))
    return kernel / kernel.sum()


@TRANSFORMS.register_module()
class ImageToClip(BaseTransform):
    """The image and T - 1 altered copies, in random order.

    Every copy: brightness, or hue and saturation, or both; then a perspective
    view and a turn with a shift; now and then motion blur. These are
    ReferFormer's parameters. Boxes are drawn anew from the masks.

    Required and modified keys: ``frames`` (1, H, W, 3), ``masks``
    (E, 1, H, W), ``boxes``, ``valid``, ``frame_inds``.

    Args:
        num_frames: T.
        brightness: largest shift.
        hue_saturation: largest shift.
        perspective: standard deviation of the corners' way inwards, as a share
            of the side.
        rotate: largest angle in degrees.
        translate: largest shift as a share of the size, one draw for both
            axes.
        blur_prob: of motion blur.
        blur_sizes: kernel sizes, odd.
    """

    def __init__(self,
                 num_frames: int = 5,
                 brightness: float = 40,
                 hue_saturation: int = 5,
                 perspective: float = 0.08,
                 rotate: float = 20,
                 translate: float = 0.1,
                 blur_prob: float = 0.25,
                 blur_sizes: tuple[int, ...] = (9, 11)) -> None:
        self.num_frames = num_frames
        self.brightness = brightness
        self.hue_saturation = hue_saturation
        self.perspective = perspective
        self.rotate = rotate
        self.translate = translate
        self.blur_prob = blur_prob
        self.blur_sizes = tuple(blur_sizes)

    def jitter_colours(self, image: np.ndarray) -> np.ndarray:
        """One or both of the colour changes."""
        parts = random.choice(('brightness', 'hue', 'both'))
        if parts != 'hue':
            image = add_brightness(
                image, random.uniform(-self.brightness, self.brightness))
        if parts != 'brightness':
            image = add_hue_saturation(
                image,
                random.randint(-self.hue_saturation, self.hue_saturation))
        return image

    def sample_views(self, height: int, width: int) -> list[np.ndarray]:
        """Two (3, 3) maps from old to new pixels: perspective, then turn.

        Not multiplied into one: what the first cuts off stays away.
        """
        inward = np.minimum(
            np.abs(np.random.normal(0, self.perspective, (4, 2))), 0.49)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        size = np.array([width - 1, height - 1])
        quad = np.where(corners == 0, inward, 1 - inward) * size
        view = cv2.getPerspectiveTransform(
            quad.astype(np.float32), (corners * size).astype(np.float32))
        turn = np.eye(3)
        turn[:2] = cv2.getRotationMatrix2D(
            tuple(size / 2), random.uniform(-self.rotate, self.rotate), 1)
        shift = random.uniform(-self.translate, self.translate)
        turn[:2, 2] += shift * np.array([width, height])
        return [view, turn]

    def copy(self, image: np.ndarray,
             masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One altered copy of (H, W, 3) uint8 and its masks (E, H, W)."""
        height, width = image.shape[:2]
        image = self.jitter_colours(image)
        for matrix in self.sample_views(height, width):
            image = cv2.warpPerspective(image, matrix, (width, height))
            masks = np.stack([
                cv2.warpPerspective(
                    np.ascontiguousarray(mask).view(np.uint8),
                    matrix, (width, height),
                    flags=cv2.INTER_NEAREST) for mask in masks
            ]) > 0
        if random.random() < self.blur_prob:
            kernel = blur_kernel(
                random.choice(self.blur_sizes), random.uniform(0, 360),
                random.uniform(-1, 1))
            image = cv2.filter2D(image, -1, kernel)
        return image, masks

    def transform(self, results: dict) -> dict:
        if len(results['frames']) != 1:
            raise ValueError(
                f'ImageToClip got {len(results["frames"])} frames of '
                f'{results["video_id"]}, expected one still image')
        image, masks = results['frames'][0], results['masks'][:, 0]
        copies = [(image, masks)]
        copies += [self.copy(image, masks) for _ in range(self.num_frames - 1)]
        random.shuffle(copies)
        results['frames'] = np.stack([c[0] for c in copies])
        results['masks'] = np.stack([c[1] for c in copies], axis=1)
        results['boxes'], results['valid'] = masks_to_boxes(results['masks'])
        results['frame_inds'] = np.zeros(self.num_frames, dtype=np.int64)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_frames={self.num_frames})'
