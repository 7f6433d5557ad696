"""Read frames from image files, a video file, arrays or an iterator."""
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mmrvos.utils import check_file, read_image


class VideoSource(metaclass=ABCMeta):
    """Frames of one video, in order.

    Attributes:
        name: for messages and results.
        fps: frames per second, None where unknown.
        times: of the frames that were read, in seconds from the start,
            increasing; None where unknown.
    """

    name: str
    fps: float | None = None
    times: list[float] | None = None

    @abstractmethod
    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Read all frames from the start.

        Yields:
            Frame name, its path ('' for arrays), (H, W, 3) uint8 RGB.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of frames, 0 where unknown. A video file gives
        the number in its header."""

    def chunks(
        self, size: int
    ) -> Iterator[tuple[list[str], list[str], list[np.ndarray]]]:
        """Read some frames at a time.

        Args:
            size: frames per chunk.

        Yields:
            Names, paths and images of at most ``size`` frames, see
            :meth:`frames`.

        Raises:
            ValueError: there is no frame, or frames differ in size.
        """
        frames, shape = self.frames(), None
        while chunk := list(islice(frames, size)):
            names, paths, images = map(list, zip(*chunk, strict=True))
            for name, image in zip(names, images, strict=True):
                shape = shape or image.shape
                if image.shape != shape:
                    raise ValueError(
                        f'{self.name}: frame {name} is {image.shape[:2]}, '
                        f'the first is {shape[:2]} (height, width); all must '
                        'have one size')
            yield names, paths, images
        if shape is None:
            raise ValueError(f'{self.name} has no frames that can be read')


class ImageFiles(VideoSource):
    """Image files, one frame per file, in the given order.

    EXIF orientation is applied, as video decoders apply rotation. Frames are
    named after their files, or numbered where two files (of different
    folders) have the same name.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: it is a folder, pipe or device.
    """

    def __init__(self, paths: Sequence[str | Path], name: str) -> None:
        self.paths = [Path(path) for path in paths]
        self.name = name
        for path in self.paths:
            check_file(path)
        self.names = [path.stem for path in self.paths]
        # Windows and macOS do not tell A.png from a.png
        if len({n.casefold() for n in self.names}) < len(self.names):
            self.names = [f'{i:05d}' for i in range(len(self.paths))]

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for name, path in zip(self.names, self.paths, strict=True):
            yield name, str(path), read_image(path)

    def __len__(self) -> int:
        return len(self.paths)


class VideoFile(VideoSource):
    """A video file that OpenCV can decode. Its rotation is applied."""

    def __init__(self, path: str | Path) -> None:
        self.path = self.name = str(path)
        video = self._open()
        self.length = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.fps = video.get(cv2.CAP_PROP_FPS) or None
        self.times = []
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
        """Read all frames. A warning says how many frames are missing when
        the file ends earlier than its header announces."""
        video = self._open()
        count = 0
        self.times.clear()
        try:
            while True:
                more, frame = video.read()
                if not more:
                    break
                self._add_time(video.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                yield f'{count:05d}', self.path, cv2.cvtColor(
                    frame, cv2.COLOR_BGR2RGB)
                count += 1
        finally:
            video.release()
        if 0 < count < self.length:
            warnings.warn(
                f'{self.path}: {count} of {self.length} frames can be read: '
                'the file is damaged or incomplete, or its header is wrong; '
                f'the result covers these {count} frames',
                stacklevel=2)

    def _add_time(self, time: float) -> None:
        """Note the time of a frame. Some files give none, or 0 for all."""
        if self.times and not time > self.times[-1]:
            time = self.times[-1] + 1 / (self.fps or 10)
        self.times.append(time)

    def __len__(self) -> int:
        return self.length


class Arrays(VideoSource):
    """Frames in memory, each (H, W, 3) uint8 RGB.

    An iterator is read once, while the frames are segmented; its length is
    unknown.
    """

    def __init__(self, arrays: Iterable[np.ndarray]) -> None:
        self.name = 'frames'
        self.arrays = arrays
        if isinstance(arrays, Sequence | np.ndarray):
            for i, array in enumerate(arrays):
                check_array(i, array)

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for i, array in enumerate(self.arrays):
            check_array(i, array)
            yield f'{i:05d}', '', array

    def __len__(self) -> int:
        if isinstance(self.arrays, Sequence | np.ndarray):
            return len(self.arrays)
        return 0


def check_array(index: int, array: np.ndarray) -> None:
    """Check that a frame is (H, W, 3) uint8.

    Raises:
        ValueError: it is not.
    """
    if (not isinstance(array, np.ndarray) or array.dtype != np.uint8
            or array.ndim != 3 or array.shape[2] != 3 or not array.size):
        what = (f'{array.dtype} {array.shape}' if isinstance(
            array, np.ndarray) else f'a {type(array).__name__}')
        raise ValueError(f'frame {index} is {what}, expected a uint8 array '
                         '(height, width, 3), RGB')
