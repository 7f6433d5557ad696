import warnings
from fractions import Fraction

import cv2
import numpy as np
import pytest

from mmrvos.visualization import VideoWriter, encoders, write_video


@pytest.fixture(params=['opencv', 'pyav'])
def encoder(request, monkeypatch):
    """Both encoders; PyAV is optional."""
    if request.param == 'opencv':
        monkeypatch.setattr(encoders, 'av', None)
    elif not encoders.has_h264():
        pytest.skip('PyAV is not installed')
    return request.param


def read(path) -> list[np.ndarray]:
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(read[1][..., ::-1])
    return frames


def test_written_frames_come_back(tmp_path, encoder):
    frames = [np.full((33, 47, 3), v, np.uint8) for v in (30, 120, 210)]
    path = tmp_path / 'deep' / 'clip.mp4'
    write_video(path, iter(frames), fps=12)
    back = read(path)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == 12
    codec = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, 'little')
    assert codec == dict(opencv=b'FMP4', pyav=b'h264')[encoder]
    assert [f.shape for f in back] == [(34, 48, 3)] * 3
    for wrote, got in zip(frames, back, strict=True):
        assert abs(got.astype(int) - wrote[0, 0, 0]).max() < 8  # lossy


def test_a_failure_leaves_no_file(tmp_path, encoder):

    def frames():
        yield np.zeros((16, 16, 3), np.uint8)
        raise ValueError('broken frame')

    with pytest.raises(ValueError, match='broken frame'):
        write_video(tmp_path / 'clip.mp4', frames())
    with pytest.raises(ValueError, match='no frames'):
        write_video(tmp_path / 'clip.mp4', [])
    with (pytest.raises(ValueError, match='no frames'),
          VideoWriter(tmp_path / 'clip.mp4', size=(16, 16))):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('fps', [0.01, 23.976, 66.667, 119.947, 655.36, 1000])
def test_any_frame_rate(tmp_path, encoder, fps):
    """MPEG-4 stores rates as fractions of 16-bit numbers."""
    write_video(tmp_path / 'a.mp4', np.zeros((3, 16, 16, 3), np.uint8), fps)
    video = cv2.VideoCapture(str(tmp_path / 'a.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(fps, rel=1e-4)


@pytest.mark.parametrize('fps', [0, -5, float('nan'), float('inf'), 1e9, '5'])
def test_frame_rates_out_of_range(tmp_path, fps):
    with pytest.raises(ValueError, match=f'fps={fps!r}: expected'):
        VideoWriter(tmp_path / 'a.mp4', fps)


def test_the_encoder_is_opened_at_once_where_the_size_is_known(
        tmp_path, encoder):
    with pytest.raises(OSError, match='video of 40000 x 16 pixels at 10'):
        VideoWriter(tmp_path / 'a.mp4', size=(16, 40000))
    assert not list(tmp_path.iterdir())


def film(path,
         times_ms,
         codec: str = 'aac',
         rate: int = 16000,
         rotation: float = 0) -> None:
    """Write a video of variable frame rate with one second of sound.

    The upper half of the frames is white. The second half of the sound is a
    tone. Players turn the frames by ``rotation`` degrees counterclockwise.
    """
    av = pytest.importorskip('av')
    with av.open(str(path), 'w') as output:
        video = output.add_stream('libx264', 25, options=dict(bf='0'))
        video.height, video.width, video.pix_fmt = 16, 32, 'yuv420p'
        video.set_display_rotation(rotation)
        video.codec_context.time_base = Fraction(1, 1000)
        sound = output.add_stream(codec, rate)
        sound.layout = 'mono'
        for time in times_ms:
            picture = np.zeros((16, 32, 3), np.uint8)
            picture[:8] = 255
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        tone = np.sin(np.arange(1000, dtype=np.float32))[None] / 2
        if codec == 'aac':
            kind = 'fltp'
        else:
            kind, tone = 's16', (tone * 32767).astype(np.int16)
        for start in range(0, rate, 1000):
            wave = tone if start >= rate // 2 else np.zeros_like(tone)
            part = av.AudioFrame.from_ndarray(wave, kind, 'mono')
            part.sample_rate, part.pts = rate, start
            output.mux(sound.encode(part))
        output.mux(sound.encode(None))


def test_times_and_sound_are_kept(tmp_path):
    av = pytest.importorskip('av')
    times = [0, 40, 300, 340, 800]
    film(tmp_path / 'film.mp4', times)
    with VideoWriter(
            tmp_path / 'a.mp4', 10, audio=tmp_path / 'film.mp4') as video:
        for time in times:
            video.write(np.zeros((16, 16, 3), np.uint8), time / 1000)
    with av.open(str(tmp_path / 'a.mp4')) as written:
        shown = [f.time for f in written.decode(video=0)]
    assert shown == pytest.approx([t / 1000 for t in times], abs=1e-4)
    with av.open(str(tmp_path / 'a.mp4')) as written:
        heard = [(f.time, f.samples) for f in written.decode(audio=0)]
    assert heard[0][0] == 0
    assert 0.8 < heard[-1][0] + heard[-1][1] / 16000 < 1  # until 0.9 s


def test_colours_are_right_in_players(tmp_path):
    """The file names the coefficients of its colours."""
    av = pytest.importorskip('av')
    colour = 200, 30, 60
    write_video(tmp_path / 'a.mp4', np.full((2, 720, 1280, 3), colour,
                                            np.uint8))
    with av.open(str(tmp_path / 'a.mp4')) as written:
        assert written.streams.video[0].codec_context.colorspace == 5
        frame = next(written.decode(video=0)).to_ndarray(format='rgb24')
    assert np.abs(frame[0, 0].astype(int) - colour).max() < 5


def test_sound_ends_with_the_frames(tmp_path):
    """The video was damaged, or segmenting ended early."""
    av = pytest.importorskip('av')
    film(tmp_path / 'film.mp4', [0, 500])
    with VideoWriter(
            tmp_path / 'a.mp4', 10, audio=tmp_path / 'film.mp4') as video:
        video.write(np.zeros((16, 16, 3), np.uint8), 0.)
    with av.open(str(tmp_path / 'a.mp4')) as written:
        last = list(written.decode(audio=0))[-1]
    assert last.time + last.samples / 16000 < 0.3


def test_sound_that_browsers_do_not_play_is_encoded_again(tmp_path):
    """PCM of a rate that AAC does not have."""
    av = pytest.importorskip('av')
    film(tmp_path / 'film.avi', [0, 500, 900], codec='pcm_s16le', rate=15000)
    with VideoWriter(
            tmp_path / 'a.mp4', 10, (16, 16), tmp_path / 'film.avi') as video:
        for time in (0., 0.5, 0.9):
            video.write(np.zeros((16, 16, 3), np.uint8), time)
    with av.open(str(tmp_path / 'a.mp4')) as written:
        sound = written.streams.audio[0].codec_context
        assert (sound.name, sound.rate) == ('aac', 48000)
        frames = list(written.decode(audio=0))
    seconds = sum(frame.samples for frame in frames) / 48000
    assert seconds == pytest.approx(1, abs=0.05)
    loudness = np.abs(np.concatenate(
        [frame.to_ndarray()[0] for frame in frames]))
    # the tone starts at 0.5 s
    assert loudness[:20_000].max() < 0.05 < 0.2 < loudness[30_000:].max()


def test_browsers_play_the_file(tmp_path):
    """4:2:0 colours, and the index before the frames."""
    av = pytest.importorskip('av')
    write_video(tmp_path / 'a.mp4', np.zeros((3, 16, 18, 3), np.uint8))
    with av.open(str(tmp_path / 'a.mp4')) as written:
        codec = written.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ('h264', 'yuv420p')
    content = (tmp_path / 'a.mp4').read_bytes()
    assert 0 < content.index(b'moov') < content.index(b'mdat')


def test_sound_that_cannot_be_copied_is_left_out(tmp_path, monkeypatch):
    pytest.importorskip('av')

    def fail(*args):
        raise OSError('no tag for the codec')

    monkeypatch.setattr(encoders.PyAVEncoder, '_add_sound', fail)
    with (pytest.warns(UserWarning, match='a.mp4 has no sound: .* no tag'),
          VideoWriter(tmp_path / 'a.mp4', 10, (16, 16),
                      tmp_path / 'film.mp4') as video):
        video.write(np.zeros((16, 16, 3), np.uint8))
    assert len(read(tmp_path / 'a.mp4')) == 1


@pytest.mark.parametrize('content', [None, b'', b'text' * 100])
def test_sound_that_cannot_be_read_is_left_out(tmp_path, content):
    if content is not None:
        (tmp_path / 'film.mp4').write_bytes(content)
    with (warnings.catch_warnings(action='error'),
          VideoWriter(tmp_path / 'a.mp4', audio=tmp_path / 'film.mp4'
                      ) as video):
        video.write(np.zeros((16, 16, 3), np.uint8))
    assert len(read(tmp_path / 'a.mp4')) == 1
