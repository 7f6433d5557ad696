"""Frames of a video, in a folder of images or in a video file."""
import glob
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mmrvos.utils import (
    MAX_IMAGE_BYTES,
    check_distinct,
    check_file,
    visible_files,
)

from ..annotation_files import in_order_of_time

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')


@dataclass(frozen=True)
class Frames:
    """The frames of a video, in order of time.

    Attributes:
        names: their names.
        paths: their image files; empty for a video file.
        video: the video file.
        indices: the frames of the video file, from 0.
    """
    names: list[str]
    paths: Sequence[Path] = ()
    video: Path | None = None
    indices: Sequence[int] = ()

    def thinned(self, every: int) -> 'Frames':
        """Keep every ``every``-th frame, from the first one on."""
        return Frames(self.names[::every], self.paths[::every], self.video,
                      self.indices[::every])

    def read(self) -> Iterator[Path | np.ndarray]:
        """Yield an image file, or (H, W, 3) uint8 RGB, per frame.

        Raises:
            ValueError: the video file ends early.
        """
        if self.video is None:
            yield from self.paths
            return
        with opened(self.video) as video:
            position = 0
            for index in self.indices:
                while position <= index:
                    if not video.grab():
                        raise ValueError(
                            f'{self.video} ends after {position} frames, '
                            f'frame {index} (from 0) was expected')
                    position += 1
                yield cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB)


def frames_of(root: Path, video: str,
              names: Sequence[str] | None = None) -> Frames:
    """List the frames of a video in order of time.

    Args:
        root: folder of the videos.
        video: name of its folder, or of its file without suffix.
        names: the wanted frames; None takes all. In a video file, the number
            at the end of a name is the index of the frame.

    Raises:
        FileNotFoundError: there are none.
        ValueError: two images have one name, or one is no ordinary file.
    """
    folder = root / video
    if not folder.is_dir():
        files = visible_files(
            folder.parent.glob(f'{glob.escape(folder.name)}.*'),
            VIDEO_SUFFIXES)
        files = [p for p in files if p.stem == folder.name]
        if files:
            check_distinct([p.stem for p in files], 'video', root)
            return frames_of_file(files[0], names)
    frames = visible_files(folder.glob('*'), ('.jpg', '.jpeg', '.png'))
    if not frames:
        raise FileNotFoundError(
            f'{folder} holds no .jpg or .png, but its video has sentences; '
            f'expected this folder, or a video file such as {folder}.mp4')
    check_distinct([p.stem for p in frames], 'frame', folder)
    if names is not None:
        known = {p.stem: p for p in frames}
        if missing := [name for name in names if name not in known]:
            raise FileNotFoundError(
                f'{folder} has no frame {missing[0]}, which has a mask')
        frames = [known[name] for name in names]
    for path in frames:
        check_file(path, MAX_IMAGE_BYTES)
    order = in_order_of_time([p.stem for p in frames])
    return Frames([frames[i].stem for i in order], [frames[i] for i in order])


def frames_of_file(path: Path, names: Sequence[str] | None) -> Frames:
    """List frames of a video file, see :func:`frames_of`."""
    check_file(path)
    if names is None:
        with opened(path) as video:
            count = 0  # the header may be wrong
            while video.grab():
                count += 1
        return Frames([f'{i:05d}' for i in range(count)],
                      video=path,
                      indices=range(count))
    numbers = {}
    for name in names:
        if not (digits := re.search(r'(\d{1,9})$', name)):
            raise ValueError(
                f'frame {name!r} of {path} has no number at its end, expected '
                'the index of the frame in the video, from 0')
        numbers[int(digits[1])] = name
    if len(numbers) < len(names):
        raise ValueError(f'{path}: several frames have one number, expected '
                         'different numbers at the end of the names')
    indices = sorted(numbers)
    return Frames([numbers[i] for i in indices], video=path, indices=indices)


@contextmanager
def opened(path: Path) -> Iterator[cv2.VideoCapture]:
    """Open a video file.

    Raises:
        ValueError: OpenCV cannot decode it.
    """
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise ValueError(f'{path} cannot be opened as a video: expected '
                             'an mp4 or another file that OpenCV decodes')
        yield video
    finally:
        video.release()
