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

from .drawing import contact_sheet, draw_legend, draw_masks, spread_indices
from .overlay_writer import OverlayWriter


@VISUALIZERS.register_module()
class RVOSVisualizer(Visualizer):
    """Draws what a data sample's expressions point at.

    Args:
        name: of this instance, for MMEngine.
        alpha: share of the colour inside a mask.
        outline_width: pixels, at the drawn size; 0 draws none.
        min_width: narrower frames are enlarged to this width, so that
            captions can be read.
        sheet_frames: frames of a contact sheet, evenly spread.
        kwargs: of :class:`mmengine.visualization.Visualizer`.
    """

    def __init__(self,
                 name: str = 'visualizer',
                 *,
                 alpha: float = 0.45,
                 outline_width: int = 2,
                 min_width: int = 480,
                 sheet_frames: int = 8,
                 **kwargs) -> None:
        super().__init__(name, **kwargs)
        self.alpha = alpha
        self.outline_width = outline_width
        self.min_width = min_width
        self.sheet_frames = sheet_frames

    def draw_clip(self, frames: Iterable[np.ndarray],
                  rles: Sequence[Sequence[dict]],
                  captions: Sequence[str]) -> Iterator[np.ndarray]:
        """Draw the masks of E expressions on T frames, one frame at a time.

        Args:
            frames: T times (H, W, 3) uint8 RGB; resized to the masks.
            rles: E lists of T COCO RLE dicts.
            captions: E sentences for the legend under every frame.

        Yields:
            (H', W', 3) uint8 RGB.
        """
        legend = None
        for t, frame in enumerate(frames):
            masks = np.stack(
                [mask_utils.decode(r[t]).astype(bool) for r in rles])
            height, width = masks.shape[1:]
            scale = max(1., self.min_width / width)
            size = round(width * scale), round(height * scale)
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
            masks = np.stack([
                cv2.resize(
                    mask.astype(np.uint8),
                    size,
                    interpolation=cv2.INTER_NEAREST).astype(bool)
                for mask in masks
            ])
            image = draw_masks(frame, masks, self.alpha, self.outline_width)
            if legend is None:
                legend = draw_legend(captions, size[0])
            yield np.concatenate([image, legend])

    def open_overlay(self,
                     stem: str | Path,
                     fps: float = 10) -> OverlayWriter:
        """A writer for the images of :meth:`draw_clip`."""
        return OverlayWriter(stem, fps, self.sheet_frames)

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
        drawn = list(
            self.draw_clip(
                image, data_sample.pred.masks,
                captions_of(data_sample.texts, data_sample.pred.scores)))
        chosen = spread_indices(len(drawn), self.sheet_frames)
        self.add_image(name, contact_sheet([drawn[i] for i in chosen]), step)


def captions_of(texts: Sequence[str], scores: Tensor) -> list[str]:
    """'0.87 the small red circle', score first."""
    return [
        f'{score:.2f} {text}'
        for score, text in zip(scores.tolist(), texts, strict=True)
    ]
