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
        max_frames: number of frames at which :meth:`chunks` ends; None for
            all.
    """

    name: str
    fps: float | None = None
    times: list[float] | None = None
    max_frames: int | None = None

    @abstractmethod
    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Read all frames from the start.

        Yields:
            Frame name, its path ('' for arrays), (H, W, 3) uint8 RGB.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of frames, 0 where unknown. A video file gives
        the number in its header. At most :attr:`max_frames`."""

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
        frames, shape = islice(self.frames(), self.max_frames), None
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
        return limited(len(self.paths), self.max_frames)


class CapturedVideo(VideoSource):
    """A video that OpenCV captures. Its rotation is applied.

    A subclass implements :meth:`_open`. The video is opened once to check it.

    Args:
        name: for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        video = self._open()
        self.length = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.fps = video.get(cv2.CAP_PROP_FPS) or None
        self.times = []
        video.release()

    @abstractmethod
    def _open(self) -> cv2.VideoCapture:
        """Open the video, or raise an error that says why it is none."""

    def _read(self, video: cv2.VideoCapture) -> tuple[bool, np.ndarray]:
        """Return whether there is a frame, and the frame."""
        return video.read()

    def _time(self, video: cv2.VideoCapture) -> float:
        """Return the time of the frame that was read, in seconds."""
        return video.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Read all frames. A warning says how many frames are missing when
        the video ends earlier than its header announces."""
        video = self._open()
        count = 0
        self.times.clear()
        try:
            while True:
                more, frame = self._read(video)
                if not more:
                    break
                self._add_time(self._time(video))
                yield f'{count:05d}', self.name, cv2.cvtColor(
                    frame, cv2.COLOR_BGR2RGB)
                count += 1
        finally:
            video.release()
        self._check_end(count)

    def _check_end(self, count: int) -> None:
        """Warn if the video ended early, after ``count`` frames."""
        if 0 < count < self.length:
            warnings.warn(
                f'{self.name}: {count} of {self.length} frames can be read: '
                'the video is damaged or incomplete, or its header is wrong; '
                f'the result covers these {count} frames',
                stacklevel=3)

    def _add_time(self, time: float) -> None:
        """Note the time of a frame. Some files give none, or 0 for all."""
        if self.times and not time > self.times[-1]:
            time = self.times[-1] + 1 / (self.fps or 10)
        self.times.append(time)

    def __len__(self) -> int:
        return limited(self.length, self.max_frames)


class VideoFile(CapturedVideo):
    """A video file that OpenCV can decode."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        super().__init__(self.path)

    def _open(self) -> cv2.VideoCapture:
        video = cv2.VideoCapture(self.path)
        if not video.isOpened():
            raise ValueError(
                f'{self.path} cannot be opened as a video: expected an mp4 '
                'or another file that OpenCV decodes, a folder of frames or a '
                'glob')
        return video


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
        known = isinstance(self.arrays, Sequence | np.ndarray)
        return limited(len(self.arrays) if known else 0, self.max_frames)


def limited(length: int, max_frames: int | None) -> int:
    """Return the number of frames that are read; 0 is an unknown length."""
    if max_frames is None:
        return length
    return min(length or max_frames, max_frames)


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
