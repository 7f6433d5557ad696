import warnings
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np

from .encoders import OpenCVEncoder, PyAVEncoder, has_h264

MIN_FPS, MAX_FPS = 0.01, 1000


def check_fps(fps: float) -> float:
    """Check a frame rate.

    Raises:
        ValueError: it is not a number from ``MIN_FPS`` to ``MAX_FPS``.
    """
    if (isinstance(fps, bool) or not isinstance(fps, int | float | np.number)
            or not MIN_FPS <= fps <= MAX_FPS):
        raise ValueError(f'fps={fps!r}: expected frames per second, a number '
                         f'from {MIN_FPS} to {MAX_FPS}')
    return float(fps)


class VideoWriter:
    """Write an mp4: H.264 if PyAV is installed, else MPEG-4 part 2.

    A context manager. The file appears under its name when it is complete,
    and never if the block ends with an error.

    Args:
        path: ends in .mp4; its folder is created.
        fps: frames per second.
        size: (height, width). The encoder is then opened at once, so that a
            failure is known before frames are made; by default it is opened
            with the first frame.
        audio: a video file whose sound is kept; MPEG-4 part 2 has none.

    Raises:
        ValueError: the name does not end in .mp4, or the frame rate is not
            usable; at the end, there were no frames.
        OSError: the encoder does not take the size, or cannot write there.
    """

    def __init__(self,
                 path: str | Path,
                 fps: float = 10,
                 size: tuple[int, int] | None = None,
                 audio: str | Path | None = None) -> None:
        self.path = Path(path)
        if self.path.suffix != '.mp4':
            raise ValueError(f'{path}: expected a name ending in .mp4')
        self.unfinished = self.path.with_name(f'.{self.path.name}')
        self.fps = check_fps(fps)
        self.audio = None if audio is None else Path(audio)
        self.count = 0
        self.encoder = None if size is None else self._open(*size)

    def write(self, frame: np.ndarray, time: float | None = None) -> None:
        """Append a frame.

        Args:
            frame: (H, W, 3) uint8 RGB, all of one size. An odd last row or
                column is repeated, because the codecs need even sizes.
            time: in seconds from the start; by default the frame rate is
                constant. MPEG-4 part 2 always has a constant rate.
        """
        if self.encoder is None:
            self.encoder = self._open(*frame.shape[:2])
        frame = np.pad(
            frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)],
            mode='edge')
        self.encoder.write(frame,
                           self.count / self.fps if time is None else time)
        self.count += 1

    def _open(self, height: int, width: int) -> OpenCVEncoder | PyAVEncoder:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        size = height + height % 2, width + width % 2
        try:
            if not has_h264():
                return OpenCVEncoder(self.unfinished, self.fps, size)
            if self.audio is not None:
                try:
                    return PyAVEncoder(self.unfinished, self.fps, size,
                                       self.audio)
                except OSError as error:
                    warnings.warn(
                        f'{self.path} has no sound: {error}', stacklevel=4)
            return PyAVEncoder(self.unfinished, self.fps, size)
        except OSError:
            self.unfinished.unlink(missing_ok=True)
            raise

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        encoder, self.encoder = self.encoder, None
        complete = kind is None and self.count > 0
        try:
            if encoder is not None:
                encoder.close()
            if complete:
                self.unfinished.replace(self.path)
        finally:
            self.unfinished.unlink(missing_ok=True)
        if kind is None and not complete:
            raise ValueError(f'{self.path}: no frames to write')


def write_video(path: str | Path,
                frames: Iterable[np.ndarray],
                fps: float = 10) -> None:
    """Write all frames; see :class:`VideoWriter`."""
    with VideoWriter(path, fps) as video:
        for frame in frames:
            video.write(frame)
