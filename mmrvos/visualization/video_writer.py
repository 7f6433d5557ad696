from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np


def write_video(path: str | Path,
                frames: Iterable[np.ndarray],
                fps: float = 10) -> None:
    """Write an mp4 (MPEG-4 part 2, the codec every OpenCV build has).

    The file appears under its name when it is complete.

    Args:
        path: ends in .mp4; its folder is made.
        frames: each (H, W, 3) uint8 RGB, all of one size; an odd last row or
            column is repeated, the codec needs even sizes.

    Raises:
        ValueError: no frames, or the name does not end in .mp4.
        OSError: OpenCV cannot write there.
    """
    path = Path(path)
    if path.suffix != '.mp4':
        raise ValueError(f'{path}: expected a name ending in .mp4')
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f'.{path.name}')
    writer = None
    try:
        for frame in frames:
            frame = np.pad(
                frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2),
                        (0, 0)],
                mode='edge')
            if writer is None:
                writer = _open(unfinished, frame, fps)
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        if writer is None:
            raise ValueError(f'{path}: no frames to write')
        writer.release()
        unfinished.replace(path)
    finally:
        if writer is not None:
            writer.release()
        unfinished.unlink(missing_ok=True)


def _open(path: Path, frame: np.ndarray, fps: float) -> cv2.VideoWriter:
    size = frame.shape[1], frame.shape[0]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, size)
    if not writer.isOpened():
        raise OSError(f'OpenCV cannot write a video to {path}')
    return writer
