"""Limits of what the page takes, and videos that are read under them."""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mmrvos.apis.frame_sources import VideoFile

#: Bytes at a place in the file that tell the container. Playlists and session
#: descriptions, which are text, would make FFmpeg open other files.
CONTAINERS = (
    (4, b'ftyp'), (4, b'moov'), (4, b'mdat'), (4, b'wide'), (4, b'free'),
    (4, b'skip'),  # mp4, mov
    (0, b'\x1aE\xdf\xa3'),  # webm, mkv
    (0, b'RIFF'), (0, b'OggS'), (0, b'GIF8'))


@dataclass(frozen=True)
class Limits:
    """What one request may contain.

    Attributes:
        megabytes: of an uploaded file.
        frames: of a video.
        pixels: of a frame.
        sentences: of a request.
        characters: of a sentence.
    """
    megabytes: int = 200
    frames: int = 600
    pixels: int = 3840 * 2160
    sentences: int = 10
    characters: int = 300

    def split(self, text: str) -> list[str]:
        """Split a text into sentences, one per line.

        Raises:
            ValueError: there is none, or there are too many or too long ones.
        """
        sentences = [line.strip() for line in text.splitlines()]
        sentences = [sentence for sentence in sentences if sentence]
        if not sentences:
            raise ValueError('no sentence is given: write one per line')
        if len(sentences) > self.sentences:
            raise ValueError(f'{len(sentences)} sentences are given, expected '
                             f'at most {self.sentences}')
        longest = max(sentences, key=len)
        if len(longest) > self.characters:
            raise ValueError(
                f'the sentence "{longest[:40]}..." has {len(longest)} '
                f'characters, expected at most {self.characters}')
        return sentences


class LimitedVideo(VideoFile):
    """A video file that is refused when it is above the limits.

    The header is checked first. It may be wrong, so frames are counted, too.

    Args:
        path: of the file.
        limits: see :class:`Limits`.
        on_frame: called with the number of frames that were read.

    Raises:
        ValueError: it is no video, or it is above the limits.
    """

    def __init__(self,
                 path: str | Path,
                 limits: Limits,
                 on_frame: Callable[[int], None] = lambda count: None) -> None:
        check_container(path)
        super().__init__(path)
        self.limits = limits
        self.on_frame = on_frame
        self._check_frames(len(self))
        video = cv2.VideoCapture(str(path))
        width = int(video.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
        video.release()
        if height * width > limits.pixels:
            raise ValueError(
                f'the video has {width} x {height} pixels, expected at most '
                f'{limits.pixels} in a frame (3840 x 2160, for example): '
                'make it smaller')

    def frames(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for count, frame in enumerate(super().frames(), 1):
            self._check_frames(count)
            self.on_frame(count)
            yield frame

    def _check_frames(self, count: int) -> None:
        if count > self.limits.frames:
            raise ValueError(
                f'the video has {count} frames or more, expected at most '
                f'{self.limits.frames}: cut it, or start the page with '
                '--max-frames')


def check_container(path: str | Path) -> None:
    """Check by the first bytes that a file is a video.

    Raises:
        ValueError: it is not.
    """
    with open(path, 'rb') as file:
        head = file.read(16)
    if not head:
        raise ValueError(f'{path} is empty: record or upload the video again')
    if not any(head[start:].startswith(mark) for start, mark in CONTAINERS):
        raise ValueError(f'{path} is not a video: expected mp4, mov, webm, '
                         'mkv, avi, ogg or gif')
