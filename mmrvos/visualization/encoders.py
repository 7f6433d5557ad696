"""Encode RGB frames to an mp4: H.264 through PyAV, else OpenCV's MPEG-4."""
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

try:
    import av
except ImportError:  # optional, see requirements/optional.txt
    av = None

#: Audio that browsers play in an mp4: it is copied, other audio is encoded as
#: AAC.
COPIED_AUDIO = ('aac', 'mp3', 'opus', 'flac')
#: Coefficients of the conversion from RGB, AVCOL_SPC_BT470BG of FFmpeg. If
#: a file does not name them, players take those of BT.709 for large frames.
BT601 = 5
MIN_TICKS = 90_000  # per second, resolution of the times in H.264 files


def has_h264() -> bool:
    """Tell whether PyAV is installed and can encode H.264."""
    return av is not None and 'libx264' in av.codecs_available


class OpenCVEncoder:
    """Encode MPEG-4 part 2, the codec in every OpenCV build.

    The frame rate is constant, and there is no sound. Browsers do not play
    this codec.

    Args:
        path: of the file.
        fps: frames per second, rounded where the codec needs it.
        size: (height, width), even.

    Raises:
        OSError: OpenCV cannot write this.
    """

    def __init__(self, path: Path, fps: float, size: tuple[int,
                                                           int]) -> None:
        fps = mpeg4_rate(fps)
        self.writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, size[::-1])
        if not self.writer.isOpened():
            raise OSError(
                f'OpenCV cannot write a video of {size[1]} x {size[0]} pixels '
                f'at {fps} frames per second to {path}')

    def write(self, frame: np.ndarray, time: float) -> None:
        """Append (height, width, 3) uint8 RGB; ``time`` is not used."""
        self.writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self.writer.release()


class PyAVEncoder:
    """Encode H.264, with the times of the frames and with sound.

    Args:
        path: of the file.
        fps: frames per second.
        size: (height, width), even.
        audio: a video file whose sound is taken up to the last frame.

    Raises:
        OSError: PyAV cannot write this.
    """

    def __init__(self,
                 path: Path,
                 fps: float,
                 size: tuple[int, int],
                 audio: Path | None = None) -> None:
        self.last = -1  # time of the last frame, in ticks
        self.end = 0.  # time at which it ends, in seconds
        self.duration = 1 / fps
        self.files = ExitStack()
        try:
            # the index at the start of the file: browsers play at once
            self.output = self.files.enter_context(
                av.open(
                    str(path), 'w', format='mp4',
                    options=dict(movflags='faststart')))
            rate = Fraction(fps).limit_denominator(1001)
            # a multiple of the rate, so that a constant rate is exact
            ticks = rate.numerator * -(-MIN_TICKS // rate.numerator)
            self.tick = Fraction(1, ticks)
            # without B-frames: with them, the duration of a video of variable
            # frame rate would be that of the decoding order
            self.video = self.output.add_stream(
                'libx264',
                rate,
                options=dict(crf='20', preset='veryfast', bf='0'))
            self.video.height, self.video.width = size
            self.video.pix_fmt = 'yuv420p'
            self.video.codec_context.colorspace = BT601
            self.video.codec_context.time_base = self.tick
            self.sound = iter(()) if audio is None else self._add_sound(audio)
            self.waiting = next(self.sound, None)
            self.output.start_encoding()  # opens the codec, writes a header
        except (av.FFmpegError, OSError, ValueError) as error:
            self.files.close()
            raise OSError(
                f'PyAV cannot write a video of {size[1]} x {size[0]} pixels '
                f'at {fps} frames per second to {path}: {error}') from None

    def write(self, frame: np.ndarray, time: float) -> None:
        """Append (height, width, 3) uint8 RGB, shown from ``time`` seconds
        on."""
        picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
        self.last = max(self.last + 1, round(time / self.tick))
        picture.pts, picture.time_base = self.last, self.tick
        picture.duration = round(self.duration / self.tick)
        self.output.mux(self.video.encode(picture))
        shown = float(self.last * self.tick)
        self.end = shown + self.duration
        self._mux_sound_until(shown)

    def close(self) -> None:
        try:
            if self.last >= 0:
                self.output.mux(self.video.encode(None))
                self._mux_sound_until(self.end)
        finally:
            self.files.close()

    def _mux_sound_until(self, time: float) -> None:
        while self.waiting is not None and self.waiting[0] <= time:
            self.output.mux(self.waiting[1])
            self.waiting = next(self.sound, None)

    def _add_sound(self, path: Path) -> Iterator[tuple[float, 'av.Packet']]:
        """Add a sound track to the output.

        Args:
            path: of the file with the sound.

        Returns:
            Its packets, with their times in seconds from the first frame of
            the file; none if the file has no sound.
        """
        try:
            source = self.files.enter_context(av.open(str(path)))
        except (av.FFmpegError, OSError):
            return iter(())
        if not source.streams.audio:
            return iter(())
        track = source.streams.audio[0]
        video = source.streams.video[0] if source.streams.video else track
        start = (video.start_time or 0) * video.time_base
        codec = track.codec_context
        if codec is None:  # FFmpeg has no decoder
            warnings.warn(
                f'{path}: the codec of its sound is unknown; the overlay has '
                'no sound', stacklevel=2)
            return iter(())
        if codec.name in COPIED_AUDIO:
            target = self.output.add_stream_from_template(track)
            return copied_packets(source, track, target, start)
        rates = av.Codec('aac', 'w').audio_rates
        target = self.output.add_stream(
            'aac', codec.rate if codec.rate in rates else 48_000)
        target.layout = 'mono' if codec.channels == 1 else 'stereo'
        return encoded_packets(source, track, target, start)


def copied_packets(source: 'av.container.InputContainer',
                   track: 'av.AudioStream', target: 'av.AudioStream',
                   start: Fraction) -> Iterator[tuple[float, 'av.Packet']]:
    """Read the packets of a sound track.

    Args:
        source: the file.
        track: of the file.
        target: stream of the output with the same codec.
        start: time of the first frame, in seconds.

    Yields:
        Time from the first frame, in seconds, and packet. A damaged file
        ends where its first error is.
    """
    try:
        for packet in source.demux(track):
            if packet.dts is None or packet.pts is None:
                continue  # the end mark
            shift = round(start / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            time = float(packet.pts * packet.time_base)
            packet.stream = target
            yield time, packet
    except av.FFmpegError:
        return


def encoded_packets(source: 'av.container.InputContainer',
                    track: 'av.AudioStream', target: 'av.AudioStream',
                    start: Fraction) -> Iterator[tuple[float, 'av.Packet']]:
    """Decode a sound track and encode it for ``target``.

    Args, yields: see :func:`copied_packets`.
    """

    def frames() -> Iterator['av.AudioFrame | None']:
        try:
            for frame in source.decode(track):
                frame.pts -= round(start / frame.time_base)
                if frame.pts >= 0:
                    yield frame
        except av.FFmpegError:
            pass
        yield None  # flushes the encoder

    for frame in frames():
        for packet in target.encode(frame):
            yield float(packet.pts * packet.time_base), packet


def mpeg4_rate(fps: float) -> float:
    """Round a frame rate to one that MPEG-4 part 2 can store.

    OpenCV writes a rate as a fraction over 1, 10, 100 or 1000. The numerator
    may have 16 bits.
    """
    decimals = next(d for d in (3, 2, 1, 0) if round(fps * 10**d) < 2**16)
    return round(fps, decimals)
