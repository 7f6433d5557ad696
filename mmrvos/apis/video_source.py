"""One way to read frames from a video file, a folder, a glob or arrays."""
import glob
import re
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmrvos.datasets.transforms.loading import read_image

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


class VideoSource(metaclass=ABCMeta):
    """Frames that can be read more than once, in order.

    Attributes:
        name: for messages and results.
        fps: frames a second, or None where the source does not know.
    """

    name: str
    fps: float | None = None

    @abstractmethod
    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Read from the start.

        Yields:
            frame name, its path ('' if it has none), (H, W, 3) uint8 RGB.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames; for a video file what its header claims."""


class ImageFiles(VideoSource):
    """Image files, a frame each, in the given order.

    Frames are named after their files, or numbered where two files (of
    different folders, say) have the same name.
    """

    def __init__(self, paths: Sequence[str | Path], name: str) -> None:
        self.paths = [Path(path) for path in paths]
        self.name = name
        self.names = [path.stem for path in self.paths]
        if len(set(self.names)) < len(self.names):
            self.names = [f'{i:05d}' for i in range(len(self.paths))]

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for name, path in zip(self.names, self.paths, strict=True):
            yield name, str(path), read_image(str(path))

    def __len__(self) -> int:
        return len(self.paths)


class VideoFile(VideoSource):
    """A video file that OpenCV can decode."""

    def __init__(self, path: str | Path) -> None:
        self.path = self.name = str(path)
        video = self._open()
        self.length = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.fps = video.get(cv2.CAP_PROP_FPS) or None
        video.release()

    def _open(self) -> cv2.VideoCapture:
        video = cv2.VideoCapture(self.path)
        if not video.isOpened():
            raise ValueError(
                f'{self.path} cannot be opened as a video: expected an mp4 '
                'or another file that OpenCV decodes, a folder of frames or a '
                'glob')
        return video

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        video = self._open()
        try:
            index = 0
            while True:
                more, frame = video.read()
                if not more:
                    return
                yield f'{index:05d}', self.path, cv2.cvtColor(
                    frame, cv2.COLOR_BGR2RGB)
                index += 1
        finally:
            video.release()

    def __len__(self) -> int:
        return self.length


class Arrays(VideoSource):
    """Frames in memory, each (H, W, 3) uint8 RGB."""

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self.name = 'frames'
        self.arrays = arrays
        for i, array in enumerate(arrays):
            if (not isinstance(array, np.ndarray) or array.dtype != np.uint8
                    or array.ndim != 3 or array.shape[2] != 3):
                what = (f'{array.dtype} {array.shape}' if isinstance(
                    array, np.ndarray) else type(array).__name__)
                raise ValueError(
                    f'frame {i} is {what}, expected a uint8 array '
                    '(height, width, 3), RGB')

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for i, array in enumerate(self.arrays):
            yield f'{i:05d}', '', array

    def __len__(self) -> int:
        return len(self.arrays)


def open_video(video: str | Path | Sequence | np.ndarray) -> VideoSource:
    """Find out what kind of video this is.

    Args:
        video: a video file; a folder of images (sorted by name, numbers by
            value); a glob of images; a list of image paths; a list of uint8
            RGB arrays, or one (T, H, W, 3) array.

    Raises:
        FileNotFoundError: nothing there.
        ValueError: no frames in it, or not a video.
    """
    if isinstance(video, str | Path):
        source = _open_path(str(video))
    elif len(video) and isinstance(video[0], str | Path):
        source = ImageFiles(video, name=str(Path(video[0]).parent))
    else:
        source = Arrays(video)
    if not len(source) and not isinstance(source, VideoFile):
        raise ValueError(
            f'{source.name} holds no frames; expected images ending in '
            f'{", ".join(IMAGE_SUFFIXES)}')
    return source


def _open_path(video: str) -> VideoSource:
    path = Path(video)
    if path.is_dir():
        return ImageFiles(_sorted_images(path.iterdir()), name=video)
    if path.is_file():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return ImageFiles([path], name=video)
        return VideoFile(path)
    if glob.has_magic(video):
        found = _sorted_images(map(Path, glob.glob(video, recursive=True)))
        if found:
            return ImageFiles(found, name=video)
    raise FileNotFoundError(
        f'{video} is missing: expected a video file, a folder of frames or a '
        'glob such as "frames/*.jpg"')


def _sorted_images(paths) -> list[Path]:
    def by_number(path: Path) -> list:
        return [
            int(part) if part.isdigit() else part
            for part in re.split(r'(\d+)', str(path))
        ]

    return sorted(
        (p for p in paths if p.suffix.lower() in IMAGE_SUFFIXES),
        key=by_number)
