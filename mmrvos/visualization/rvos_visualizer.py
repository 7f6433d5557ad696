from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pycocotools.mask as mask_utils
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from torch import Tensor

from mmrvos.registry import VISUALIZERS
from mmrvos.structures import RVOSDataSample
from mmrvos.utils import mask_areas

from .drawing import (
    check_style,
    contact_sheet,
    draw_masks,
    draw_numbers,
    draw_tag,
    spread_indices,
)
from .legend import Legend
from .overlay_writer import OverlayWriter

#: Longest side of a drawn frame: more is beyond many video players.
MAX_SIDE = 4096
#: Narrow frames are enlarged up to this height.
MAX_ENLARGED_HEIGHT = 1080


@VISUALIZERS.register_module()
class RVOSVisualizer(Visualizer):
    """Draw the masks of a data sample's expressions.

    Args:
        name: of this instance, for MMEngine.
        style: 'outline' draws lines and dims the background, so that the
            object keeps its colour; 'spotlight' makes the background dark;
            'fill' tints the objects.
        outline_width: in pixels at the drawn size; by default in proportion
            to the frame.
        min_width: narrower frames are enlarged, and padded where they would
            become too high, so that captions can be read.
        sheet_frames: frames of a contact sheet, evenly spread.
        kwargs: of :class:`mmengine.visualization.Visualizer`.
    """

    def __init__(self,
                 name: str = 'visualizer',
                 *,
                 style: str = 'outline',
                 outline_width: int | None = None,
                 min_width: int = 480,
                 sheet_frames: int = 8,
                 **kwargs) -> None:
        super().__init__(name, **kwargs)
        check_style(style)
        self.style = style
        self.outline_width = outline_width
        self.min_width = min_width
        self.sheet_frames = sheet_frames

    def drawn_size(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return (height, width) at which a frame is drawn."""
        height, width = shape
        scale = max(
            1.,
            min(self.min_width / width, MAX_ENLARGED_HEIGHT / height))
        scale = min(scale, MAX_SIDE / max(shape))
        return max(1, round(height * scale)), max(1, round(width * scale))

    def layout(self, shape: tuple[int, int],
               texts: Sequence[str]) -> tuple[Legend, tuple[int, int]]:
        """Return the legend and (height, width) of the pictures of a video.

        Args:
            shape: (height, width) of its frames.
            texts: E sentences.
        """
        height, width = self.drawn_size(shape)
        width = max(width, self.min_width)
        legend = Legend(texts, width)
        return legend, (height + legend.height, width)

    def draw_frames(
        self, frames: Iterable[np.ndarray], rles: Sequence[Sequence[dict]]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Draw the masks of E expressions on T frames, without a legend.

        Args:
            frames: T times (H, W, 3) uint8 RGB; resized to the masks.
            rles: E lists of T COCO RLE dicts.

        Yields:
            (H', W', 3) uint8 RGB, and (E,) bool, the masks that are not
            empty.
        """
        for t, frame in enumerate(frames):
            masks = [mask_utils.decode(sequence[t]) for sequence in rles]
            present = np.array([mask.any() for mask in masks], dtype=bool)
            height, width = self.drawn_size(
                masks[0].shape if masks else frame.shape[:2])
            size = width, height
            enlarged = width > frame.shape[1]
            frame = cv2.resize(
                frame,
                size,
                interpolation=cv2.INTER_CUBIC if enlarged else cv2.INTER_AREA)
            masks = np.array([
                cv2.resize(mask * 255, size, interpolation=cv2.INTER_LINEAR)
                for mask in masks
            ]).reshape(-1, height, width) > 127
            image = draw_masks(frame, masks, self.style, self.outline_width)
            if len(masks) > 1:
                draw_numbers(image, masks)
            missing = max(0, self.min_width - width)
            yield np.pad(image, [(0, 0), (0, missing), (0, 0)]), present

    def draw_clip(self, frames: Iterable[np.ndarray],
                  rles: Sequence[Sequence[dict]], texts: Sequence[str],
                  scores: Tensor) -> Iterator[np.ndarray]:
        """Draw a clip with a legend under every frame, frame by frame.

        Args:
            frames, rles: see :meth:`draw_frames`.
            texts: E sentences.
            scores: (E,).

        Yields:
            (H', W', 3) uint8 RGB.
        """
        legend, found = None, self.found_in(rles)
        for image, present in self.draw_frames(frames, rles):
            legend = legend or Legend(texts, image.shape[1])
            yield np.concatenate([image, legend.draw(scores, found, present)])

    def draw_sheet(self, frames: Sequence[np.ndarray],
                   rles: Sequence[Sequence[dict]], texts: Sequence[str],
                   scores: Tensor) -> np.ndarray:
        """Draw some frames of a clip side by side, with one legend.

        Args:
            frames, rles, texts, scores: see :meth:`draw_clip`.

        Returns:
            (H', W', 3) uint8 RGB.
        """
        chosen = spread_indices(len(frames), self.sheet_frames)
        pictures = self.draw_frames([frames[t] for t in chosen],
                                    [[r[t] for t in chosen] for r in rles])
        return self.join_sheet([
            (t, image)
            for t, (image, _) in zip(chosen, pictures, strict=True)
        ], texts, scores, self.found_in(rles))

    def join_sheet(self, pictures: Sequence[tuple[int, np.ndarray]],
                   texts: Sequence[str], scores: Tensor,
                   found: np.ndarray) -> np.ndarray:
        """Put drawn frames side by side, with their indices and one legend.

        Frames wider than ``min_width`` are reduced to it.

        Args:
            pictures: index of the frame and (H, W, 3) uint8 RGB, each.
            texts: E sentences.
            scores: (E,).
            found: (E,) bool, expressions with a mask anywhere.
        """
        images = []
        for index, image in pictures:
            height, width = image.shape[:2]
            scale = min(1., self.min_width / width)
            image = cv2.resize(
                image, (round(width * scale), max(1, round(height * scale))),
                interpolation=cv2.INTER_AREA)
            draw_tag(image, f'frame {index}')
            images.append(image)
        sheet = contact_sheet(images)
        legend = Legend(texts, sheet.shape[1])
        return np.concatenate([sheet, legend.draw(scores, found, found)])

    @staticmethod
    def found_in(rles: Sequence[Sequence[dict]]) -> np.ndarray:
        """Return (E,) bool: expressions with a mask in any frame."""
        return np.array([mask_areas(r).any() for r in rles], dtype=bool)

    def open_overlay(self,
                     stem: str | Path,
                     shape: tuple[int, int],
                     texts: Sequence[str],
                     fps: float = 10,
                     audio: str | Path | None = None) -> OverlayWriter:
        """Open a writer of a drawn video, see :class:`OverlayWriter`."""
        return OverlayWriter(self, stem, shape, texts, fps, audio)

    @master_only
    def add_datasample(self,
                       name: str,
                       image: Sequence[np.ndarray],
                       data_sample: RVOSDataSample,
                       step: int = 0) -> None:
        """Send a contact sheet of the predictions to the backends.

        Args:
            name: of the picture.
            image: the clip, T times (H, W, 3) uint8 RGB.
            data_sample: with ``pred``.
            step: of the training.
        """
        pred = data_sample.pred
        self.add_image(
            name,
            self.draw_sheet(image, pred.masks, data_sample.texts, pred.scores),
            step)
