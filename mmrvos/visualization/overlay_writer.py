from pathlib import Path
from types import TracebackType

import numpy as np

from .drawing import contact_sheet, spread_indices, write_image
from .video_writer import VideoWriter


class OverlayWriter:
    """Drawn frames to ``stem.mp4``, some of them to ``stem.png``.

    A context manager for streams of any length: it holds no more frames than
    two contact sheets. Files appear when they are complete.

    Args:
        stem: path without extension.
        fps: of the video.
        sheet_frames: frames of the contact sheet, evenly spread.
    """

    def __init__(self, stem: str | Path, fps: float,
                 sheet_frames: int) -> None:
        self.video = VideoWriter(f'{stem}.mp4', fps)
        self.sheet = f'{stem}.png'
        self.sheet_frames = sheet_frames
        self.kept: list[np.ndarray] = []
        self.step, self.count = 1, 0

    def write(self, image: np.ndarray) -> None:
        """Append (H, W, 3) uint8 RGB."""
        self.video.write(image)
        if self.count % self.step == 0:
            self.kept.append(image)
        self.count += 1
        if len(self.kept) > 2 * self.sheet_frames:
            self.kept = self.kept[::2]
            self.step *= 2

    def __enter__(self) -> 'OverlayWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.video.__exit__(kind, error, trace)
        if kind is None:
            chosen = spread_indices(len(self.kept), self.sheet_frames)
            write_image(self.sheet,
                        contact_sheet([self.kept[i] for i in chosen]))
