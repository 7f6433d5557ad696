from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

MIN_FPS, MAX_FPS = 0.01, 1000


def check_fps(fps: float) -> float:
    """Check a frame rate.

    Raises:
        ValueError: it is not a number from ``MIN_FPS`` to ``MAX_FPS``.
    """
    if not (isinstance(fps, int | float | np.number)
            and MIN_FPS <= fps <= MAX_FPS):
        raise ValueError(f'fps={fps}: expected frames per second, a number '
                         f'from {MIN_FPS} to {MAX_FPS}')
    return float(fps)


def mpeg4_rate(fps: float) -> float:
    """Round a frame rate to one that MPEG-4 part 2 can store.

    OpenCV writes a rate as a fraction over 1, 10, 100 or 1000. The numerator
    may have 16 bits.
    """
    decimals = next(d for d in (3, 2, 1, 0) if round(fps * 10**d) < 2**16)
    return round(fps, decimals)


class VideoWriter:
    """Write an mp4 (MPEG-4 part 2, the codec in every OpenCV build).

    A context manager. The file appears under its name when it is complete,
    and never if the block ends with an error.

    Args:
        path: ends in .mp4; its folder is created.
        fps: frames per second, rounded where the codec needs it.
        size: (height, width). The encoder is then opened at once, so that a
            failure is known before frames are made; by default it is opened
            with the first frame.

    Raises:
        ValueError: the name does not end in .mp4, or the frame rate is not
            usable; at the end, there were no frames.
        OSError: OpenCV cannot write there.
    """

    def __init__(self,
                 path: str | Path,
                 fps: float = 10,
                 size: tuple[int, int] | None = None) -> None:
        self.path = Path(path)
        if self.path.suffix != '.mp4':
            raise ValueError(f'{path}: expected a name ending in .mp4')
        self.unfinished = self.path.with_name(f'.{self.path.name}')
        self.fps = mpeg4_rate(check_fps(fps))
        self.count = 0
        self.writer = None if size is None else self._open(*size)

    def write(self, frame: np.ndarray) -> None:
        """Append a frame.

        Args:
            frame: (H, W, 3) uint8 RGB, all of one size. An odd last row or
                column is repeated, because the codec needs even sizes.
        """
        if self.writer is None:
            self.writer = self._open(*frame.shape[:2])
        frame = np.pad(
            frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)],
            mode='edge')
        self.writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.count += 1

    def _open(self, height: int, width: int) -> cv2.VideoWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        size = width + width % 2, height + height % 2
        writer = cv2.VideoWriter(
            str(self.unfinished), cv2.VideoWriter_fourcc(*'mp4v'), self.fps,
            size)
        if not writer.isOpened():
            self.unfinished.unlink(missing_ok=True)
            raise OSError(
                f'OpenCV cannot write a video of {width} x {height} pixels at '
                f'{self.fps} frames per second to {self.path}')
        return writer

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.writer is not None:
            self.writer.release()
        if kind is not None or not self.count:
            self.unfinished.unlink(missing_ok=True)
        if kind is None and not self.count:
            raise ValueError(f'{self.path}: no frames to write')
        if kind is None:
            self.unfinished.replace(self.path)


def write_video(path: str | Path,
                frames: Iterable[np.ndarray],
                fps: float = 10) -> None:
    """Write all frames; see :class:`VideoWriter`."""
    with VideoWriter(path, fps) as video:
        for frame in frames:
            video.write(frame)
