"""What the page refuses before any work."""
import numpy as np
import pytest

from mmrvos.visualization import write_video
from mmrvos.web import LimitedVideo, Limits

SMALL = Limits(frames=4, pixels=32 * 48, sentences=2, characters=20)


@pytest.mark.parametrize('text', ['', ' \n\t\n'])
def test_no_sentence(text):
    with pytest.raises(ValueError, match='no sentence is given'):
        SMALL.split(text)


def test_sentences_are_lines():
    text = ' the cat \n\nthe "dog"\r\n'
    assert SMALL.split(text) == ['the cat', 'the "dog"']
    with pytest.raises(ValueError, match='3 sentences are given.*at most 2'):
        SMALL.split('a\nb\nc')
    with pytest.raises(ValueError, match='has 21 characters.*at most 20'):
        SMALL.split('a\n' + 21 * 'b')


def video(tmp_path, frames: int, height: int = 32):
    path = tmp_path / 'video.mp4'
    write_video(path, np.zeros((frames, height, 48, 3), np.uint8))
    return path


def test_video_within_the_limits(tmp_path):
    counts = []
    source = LimitedVideo(video(tmp_path, 4), SMALL, counts.append)
    assert len(list(source.frames())) == 4
    assert counts == [1, 2, 3, 4]


def test_long_video(tmp_path, monkeypatch):
    path = video(tmp_path, 5)
    with pytest.raises(ValueError, match='5 frames or more.*at most 4'):
        LimitedVideo(path, SMALL)
    # a header that announces too few frames
    monkeypatch.setattr(LimitedVideo, '__len__', lambda self: 1)
    source = LimitedVideo(path, SMALL)
    with pytest.raises(ValueError, match='5 frames or more.*at most 4'):
        list(source.frames())


def test_recording_of_a_browser(tmp_path):
    """A webm whose header has no length, as it was written while recorded."""
    av = pytest.importorskip('av')
    path = tmp_path / 'sample.webm'
    with av.open(str(path), 'w', format='webm',
                 options=dict(live='1')) as file:
        stream = file.add_stream('libvpx', 30)
        stream.height, stream.width, stream.pix_fmt = 32, 48, 'yuv420p'
        for t in range(5):
            frame = av.VideoFrame.from_ndarray(
                np.full((32, 48, 3), 40 * t, np.uint8), format='rgb24')
            frame.pts = t
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    source = LimitedVideo(path, Limits())
    assert len(source) == 0  # unknown
    assert len(list(source.frames())) == 5
    with pytest.raises(ValueError, match='5 frames or more'):
        list(LimitedVideo(path, SMALL).frames())


def test_large_frames(tmp_path):
    with pytest.raises(ValueError, match='48 x 34 pixels.*at most 1536'):
        LimitedVideo(video(tmp_path, 1, height=34), SMALL)


@pytest.mark.parametrize('content', [
    b'a text', b'\x89PNG\r\n\x1a\n and so on',
    b'#EXTM3U\n#EXTINF:1,\n/etc/passwd\n', b'ffconcat version 1.0\nfile x.mp4',
    b'v=0\no=- 0 0 IN IP4 127.0.0.1\n'
])
def test_files_that_are_no_video(tmp_path, content):
    """Above all those that name other files to read."""
    path = tmp_path / 'holiday.mp4'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='holiday.mp4 is not a video'):
        LimitedVideo(path, SMALL)


def test_empty_file(tmp_path):
    """A recording that was stopped before its first frame."""
    (tmp_path / 'sample.webm').touch()
    with pytest.raises(ValueError, match='sample.webm is empty'):
        LimitedVideo(tmp_path / 'sample.webm', SMALL)


def test_broken_video(tmp_path):
    path = tmp_path / 'broken.mp4'
    path.write_bytes(b'\0\0\0\x20ftypisom' + bytes(100))
    with pytest.raises(ValueError, match='broken.mp4 cannot be opened'):
        LimitedVideo(path, SMALL)
