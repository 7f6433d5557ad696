from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np


class VideoWriter:
    """Write an mp4 (MPEG-4 part 2, the codec every OpenCV build has).

    A context manager. The file appears under its name when it is complete,
    and never where the block ends in an error.

    Args:
        path: ends in .mp4; its folder is made with the first frame.
        fps: frames a second.

    Raises:
        ValueError: the name does not end in .mp4; at the end, no frames.
        OSError: OpenCV cannot write there.
    """

    def __init__(self, path: str | Path, fps: float = 10) -> None:
        self.path = Path(path)
        if self.path.suffix != '.mp4':
            raise ValueError(f'{path}: expected a name ending in .mp4')
        self.unfinished = self.path.with_name(f'.{self.path.name}')
        self.fps = fps
        self.writer: cv2.VideoWriter | None = None

    def write(self, frame: np.ndarray) -> None:
        """Append (H, W, 3) uint8 RGB, all of one size; an odd last row or
        column is repeated, the codec needs even sizes."""
        frame = np.pad(
            frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)],
            mode='edge')
        if self.writer is None:
            self.writer = self._open(frame.shape[1::-1])
        self.writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(
            str(self.unfinished), cv2.VideoWriter_fourcc(*'mp4v'), self.fps,
            size)
        if not writer.isOpened():
            raise OSError(f'OpenCV cannot write a video to {self.path}')
        return writer

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.writer is not None:
            self.writer.release()
        if kind is not None:
            self.unfinished.unlink(missing_ok=True)
        elif self.writer is None:
            raise ValueError(f'{self.path}: no frames to write')
        else:
            self.unfinished.replace(self.path)


def write_video(path: str | Path,
                frames: Iterable[np.ndarray],
                fps: float = 10) -> None:
    """Write all frames; see :class:`VideoWriter`."""
    with VideoWriter(path, fps) as video:
        for frame in frames:
            video.write(frame)
