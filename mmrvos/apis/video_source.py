"""Read frames from a video file, a folder, a glob, arrays or an iterator."""
import glob
import reprlib
import warnings
from abc import ABCMeta, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmrvos.datasets.transforms.loading import read_image
from mmrvos.utils import visible_files

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
EXPECTED = ('expected a video file, a folder of frames, a glob such as '
            '"frames/*.jpg", a list of image files, or uint8 RGB arrays '
            '(height, width, 3) in a list or an iterator')


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


class ImageFiles(VideoSource):
    """Image files, one frame per file, in the given order.

    EXIF orientation is applied, as video decoders apply rotation. Frames are
    named after their files, or numbered where two files (of different
    folders) have the same name.

    Raises:
        FileNotFoundError: a file is missing.
    """

    def __init__(self, paths: Sequence[str | Path], name: str) -> None:
        self.paths = [Path(path) for path in paths]
        self.name = name
        for path in self.paths:
            if not path.is_file():
                raise FileNotFoundError(
                    f'{path} is missing: expected an image file')
        self.names = [path.stem for path in self.paths]
        # Windows and macOS do not tell A.png from a.png
        if len({n.casefold() for n in self.names}) < len(self.names):
            self.names = [f'{i:05d}' for i in range(len(self.paths))]

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for name, path in zip(self.names, self.paths, strict=True):
            yield name, str(path), read_image(str(path), rotate=True)

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


def open_video(
    video: str | Path | Sequence | np.ndarray | Iterator | VideoSource
) -> VideoSource:
    """Find out what kind of video an argument is.

    Args:
        video: a video file; a folder of images of one kind (in natural order
            of their names); a glob of images; a list of image paths; a list
            or an iterator of uint8 RGB arrays, or one (T, H, W, 3) array. A
            path that exists is never taken as a glob.

    Raises:
        FileNotFoundError: nothing there.
        TypeError, ValueError: no frames in it, or not a video.
    """
    if isinstance(video, VideoSource):
        return video
    if isinstance(video, str | Path):
        source = open_path(str(video))
    elif isinstance(video, Iterator):
        return Arrays(video)
    elif (isinstance(video, bytes)
          or not isinstance(video, Sequence | np.ndarray)):
        raise TypeError(f'the video is {reprlib.repr(video)} '
                        f'({type(video).__name__}), {EXPECTED}')
    elif len(video) and isinstance(video[0], str | Path):
        source = ImageFiles(video, name=str(Path(video[0]).parent))
    else:
        source = Arrays(video)
    if not len(source) and not isinstance(source, VideoFile):
        raise ValueError(
            f'{source.name} holds no frames; expected images ending in '
            f'{", ".join(IMAGE_SUFFIXES)}')
    return source


def open_path(video: str) -> VideoSource:
    """Open a file, a folder or a glob."""
    path = Path(video)
    if not video:  # Path('') is the current folder
        raise FileNotFoundError(f'the name of the video is empty: {EXPECTED}')
    if path.is_dir():
        return ImageFiles(frames_in(path), name=video)
    if path.is_file():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return ImageFiles([path], name=video)
        return VideoFile(path)
    if glob.has_magic(video):
        found = match_files(path)
        images = [p for p in found if p.suffix.lower() in IMAGE_SUFFIXES]
        if images:
            return ImageFiles(images, name=video)
        if found:
            raise ValueError(f'{video} matches {len(found)} files, none of '
                             f'them an image: {EXPECTED}')
    raise FileNotFoundError(f'{video} is missing: {EXPECTED}')


def frames_in(folder: Path) -> list[Path]:
    """List the images of a folder in natural order.

    Raises:
        ValueError: they are of several kinds, e.g. JPEG frames and PNG masks.
    """
    images = visible_files(folder.iterdir(), IMAGE_SUFFIXES)
    same = {'.jpeg': '.jpg', '.tiff': '.tif'}
    kinds = Counter(
        same.get(p.suffix.lower(), p.suffix.lower()) for p in images)
    if len(kinds) > 1:
        what = ' and '.join(f'{n} {kind}' for kind, n in kinds.items())
        raise ValueError(
            f'{folder} holds images of several kinds ({what} files), expected '
            'the frames of one video: choose them by a glob such as '
            f'"{folder}/*{images[0].suffix}"')
    return images


def match_files(pattern: Path) -> list[Path]:
    """List the files that match a glob, in natural order.

    Leading folders that exist under their literal name, such as ``clip [1]``,
    are not taken as patterns. Hidden files are left out.
    """
    parts = list(pattern.parts)
    literal = Path(pattern.anchor)
    start = 1 if pattern.anchor else 0
    while start < len(parts) and (literal / parts[start]).is_dir():
        literal /= parts[start]
        start += 1
    names = glob.iglob(
        str(Path(*parts[start:])), root_dir=literal, recursive=True)
    return visible_files(literal / name for name in names)
