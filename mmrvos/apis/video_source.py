"""Find out what kind of video an argument is."""
import glob
import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

import numpy as np

from mmrvos.utils import check_file, visible_files

from .frame_sources import (
    Arrays,
    CapturedVideo,
    ImageFiles,
    VideoFile,
    VideoSource,
)
from .live_video import LiveVideo, is_address

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
EXPECTED = ('expected a video file, a folder of frames, a glob such as '
            '"frames/*.jpg", the index of a camera, the address of a stream, '
            'a list of image files, or uint8 RGB arrays (height, width, 3) in '
            'a list or an iterator')
#: Iterables that are no frames in an order.
NO_VIDEOS = (bytes, bytearray, memoryview, Mapping, Set)


def open_video(
    video: str | Path | int | Sequence | np.ndarray | Iterable | VideoSource,
    max_frames: int | None = None,
) -> VideoSource:
    """Find out what kind of video an argument is.

    Args:
        video: a video file; a folder of images of one kind (in natural order
            of their names); a glob of images; the index of a camera, also as
            text; a URL (http, https, rtsp, ..., see :class:`LiveVideo`); a
            list of image paths; a list or an iterator of uint8 RGB arrays, or
            one (T, H, W, 3) array. A path that exists is never taken as a
            glob or as a camera.
        max_frames: read at most this many frames; None for all.

    Raises:
        FileNotFoundError: nothing there.
        OSError: a camera or an address cannot be opened.
        TypeError, ValueError: no frames in it, not a video, or
            ``max_frames`` is below 1.
    """
    if max_frames is not None and max_frames < 1:
        raise ValueError(f'max_frames must be at least 1, got {max_frames}')
    source = find_source(video)
    if max_frames is not None:
        source.max_frames = max_frames
    return source


def find_source(
    video: str | Path | int | Sequence | np.ndarray | Iterable | VideoSource
) -> VideoSource:
    """:func:`open_video` without a limit."""
    if isinstance(video, VideoSource):
        return video
    if isinstance(video, str | Path):
        source = open_path(str(video))
    elif isinstance(video, int | np.integer) and not isinstance(video, bool):
        return LiveVideo(int(video))
    elif (not isinstance(video, Iterable) or isinstance(video, NO_VIDEOS)):
        raise TypeError(f'the video is {reprlib.repr(video)} '
                        f'({type(video).__name__}), {EXPECTED}')
    elif not isinstance(video, Sequence | np.ndarray):
        return Arrays(video)
    elif len(video) and isinstance(video[0], str | Path):
        source = ImageFiles(video, name=str(Path(video[0]).parent))
    else:
        source = Arrays(video)
    if not len(source) and not isinstance(source, CapturedVideo):
        raise ValueError(
            f'{source.name} holds no frames; expected images ending in '
            f'{", ".join(IMAGE_SUFFIXES)}')
    return source


def open_path(video: str) -> VideoSource:
    """Open a file, a folder, a glob, a camera or an address."""
    path = Path(video)
    if not video:  # Path('') is the current folder
        raise FileNotFoundError(f'the name of the video is empty: {EXPECTED}')
    if is_address(video):
        return LiveVideo(video)
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
    if path.exists() or path.is_symlink():
        check_file(path)  # it says what is there
    if video.isascii() and video.isdigit():
        return LiveVideo(int(video))
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
