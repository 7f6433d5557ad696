"""Read frames from a camera or from a network address."""
import os
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import cv2

from .frame_sources import CapturedVideo

#: What FFmpeg reads over a network.
SCHEMES = ('http', 'https', 'rtsp', 'rtsps', 'rtmp', 'rtmps', 'srt', 'udp',
           'rtp', 'tcp')
TIMEOUT = 10.  # seconds


def is_address(video: str) -> bool:
    """Tell an address such as ``rtsp://host/stream`` from a path."""
    return re.match(r'[a-zA-Z][a-zA-Z0-9+.-]*://', video) is not None


class LiveVideo(CapturedVideo):
    """A camera, or a stream or video file at a network address.

    It is opened once to check it, and again when its frames are read.

    Args:
        address: index of a camera, or a URL.
        timeout: longest time without an answer or a frame, in seconds. For
            addresses only, a camera has the limit of its driver.

    Raises:
        ValueError: the address has an unknown scheme, or the index is
            negative.
        OSError: it cannot be opened. The message has no secret of the URL.
    """

    def __init__(self, address: int | str, timeout: float = TIMEOUT) -> None:
        self.address = address
        self.timeout = timeout
        self.stopped = False
        self.start: float | None = None  # time of the first frame
        if isinstance(address, str):
            scheme = urlsplit(address).scheme.lower()
            if scheme not in SCHEMES:
                raise ValueError(
                    f'{public_name(address)}: expected an address that '
                    f'begins with one of {", ".join(SCHEMES)}, or a path')
            name = public_name(address)
        else:
            if address < 0:
                raise ValueError(f'camera {address}: the index of a camera '
                                 'is 0 or more')
            name = f'camera {address}'
        super().__init__(name)

    @property
    def endless(self) -> bool:
        """Whether the number of frames is unknown and not limited."""
        return not len(self)

    def stop(self) -> None:
        """End the video after the current frame."""
        self.stopped = True

    def _open(self) -> cv2.VideoCapture:
        started = time.monotonic()
        with quiet_opencv():
            if isinstance(self.address, int):
                video = cv2.VideoCapture(self.address)
            else:
                # FFmpeg's messages too; it is read when OpenCV first opens a
                # video
                os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
                limit = round(self.timeout * 1000)
                video = cv2.VideoCapture(self.address, cv2.CAP_FFMPEG, [
                    cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit,
                    cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit
                ])
        if video.isOpened():
            return video
        if isinstance(self.address, int):
            raise OSError(
                f'{self.name} cannot be opened: expected a connected camera '
                'that no other program uses and that you may read')
        if time.monotonic() - started >= self.timeout:
            reason = f'no answer within {self.timeout:g} seconds'
        else:
            reason = reason_of(self.address, self.timeout)
        raise OSError(f'{self.name} cannot be opened ({reason}): expected a '
                      'video or stream that FFmpeg reads')

    def _read(self, video: cv2.VideoCapture) -> tuple:
        if self.stopped:
            return False, None
        self.asked = time.monotonic()
        with quiet_opencv():
            return video.read()

    def _time(self, video: cv2.VideoCapture) -> float:
        """Return the time from the first frame; cameras have the clock's."""
        now = (time.monotonic() if isinstance(self.address, int) else
               super()._time(video))
        if self.start is None:
            self.start = now
        return now - self.start

    def _check_end(self, count: int) -> None:
        if self.stopped or not count:
            return
        if isinstance(self.address, int):
            warnings.warn(
                f'{self.name} gives no more frames; the result covers '
                f'{count} frames', stacklevel=3)
        elif time.monotonic() - self.asked >= self.timeout:
            warnings.warn(
                f'{self.name}: no frame for {self.timeout:g} seconds; the '
                f'result covers {count} frames', stacklevel=3)
        else:
            super()._check_end(count)

    def frames(self) -> Iterator[tuple]:
        """Read the frames until the stream ends, or :meth:`stop`."""
        self.stopped, self.start = False, None
        yield from super().frames()


def public_name(address: str) -> str:
    """Replace the parts of a URL that may be secret: user, password, query."""
    address = re.sub(r'(?<=://)[^/?#]*@', '***@', address)
    return re.sub(r'\?.*', '?***', address)


def reason_of(address: str, timeout: float) -> str:
    """Return why FFmpeg cannot open an address, as far as PyAV can tell."""
    unknown = 'refused, not found, or no video'
    try:
        import av  # optional, see requirements/optional.txt
    except ImportError:
        return unknown
    try:
        av.open(address, timeout=timeout).close()
    except (av.FFmpegError, OSError) as error:
        return error.strerror or unknown
    return unknown


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Turn off the messages of OpenCV: errors are raised here."""
    before = cv2.getLogLevel()
    cv2.setLogLevel(0)
    try:
        yield
    finally:
        cv2.setLogLevel(before)
