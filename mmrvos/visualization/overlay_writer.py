from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from .drawing import spread_indices, write_image
from .video_writer import VideoWriter

if TYPE_CHECKING:
    from .rvos_visualizer import RVOSVisualizer


class OverlayWriter:
    """Draw a segmented video to ``stem.mp4``, a contact sheet to ``stem.png``.

    A context manager for videos of any length: it holds the frames of two
    contact sheets at most. The encoder is opened at once. Files appear when
    they are complete.

    Args:
        visualizer: draws the frames.
        stem: path without suffix.
        shape: (height, width) of the masks.
        texts: E sentences.
        fps: frames per second.
        audio: a video file whose sound is kept, see :class:`VideoWriter`.

    Raises:
        OSError, ValueError: as :class:`VideoWriter`.
    """

    def __init__(self, visualizer: RVOSVisualizer, stem: str | Path,
                 shape: tuple[int, int], texts: Sequence[str],
                 fps: float,
                 audio: str | Path | None = None) -> None:
        self.visualizer = visualizer
        self.sheet = f'{stem}.png'
        self.legend, size = visualizer.layout(shape, texts)
        self.texts = texts
        self.kept: list[tuple[int, np.ndarray]] = []
        self.step, self.count = 1, 0
        self.total = 0.  # sum of the scores of all frames
        self.found = np.zeros(len(texts), dtype=bool)
        self.video = VideoWriter(f'{stem}.mp4', fps, size, audio)

    def write(self, frames: Iterable[np.ndarray],
              rles: Sequence[Sequence[dict]],
              scores: Tensor,
              times: Sequence[float] | None = None) -> None:
        """Append the next frames.

        Args:
            frames: t times (H, W, 3) uint8 RGB.
            rles: E lists of t COCO RLE dicts.
            scores: (E,) of these frames.
            times: (t,), in seconds; by default the frame rate is constant.
        """
        found = self.visualizer.found_in(rles)
        drawn = self.visualizer.draw_frames(frames, rles)
        for t, (picture, present) in enumerate(drawn):
            legend = self.legend.draw(scores, found, present)
            self.video.write(
                np.concatenate([picture, legend]), times and times[t])
            if self.count % self.step == 0:
                self.kept.append((self.count, picture))
            self.count += 1
            self.total = self.total + scores
            if len(self.kept) > 2 * self.visualizer.sheet_frames:
                self.kept = self.kept[::2]
                self.step *= 2
        self.found |= found

    def __enter__(self) -> OverlayWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.video.__exit__(kind, error, trace)
        if kind is None:
            chosen = spread_indices(
                len(self.kept), self.visualizer.sheet_frames)
            write_image(
                self.sheet,
                self.visualizer.join_sheet([self.kept[i] for i in chosen],
                                           self.texts,
                                           self.total / self.count,
                                           self.found))
