"""Cameras and network addresses."""
import socket
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
from torch import nn

from mmrvos.apis import LiveVideo, RVOSInferencer, open_video
from mmrvos.apis.arguments import check_end
from mmrvos.models import segmentors
from mmrvos.models.propagators import SAM2Propagator
from mmrvos.models.segmentors.inference_cfg import InferenceCfg
from mmrvos.visualization import write_image, write_video

from ..colour_segmentor import colour_checkpoint, colour_config, colour_video
from ..file_server import file_server


class Camera:
    """Stands for ``cv2.VideoCapture``: a camera without end."""
    opened = 0
    last = 1000  # frames until somebody pulls the plug

    def __init__(self, index: int) -> None:
        type(self).opened += 1
        self.count = 0

    def isOpened(self) -> bool:
        return True

    def get(self, key: int) -> float:
        return {cv2.CAP_PROP_FPS: 30., cv2.CAP_PROP_FRAME_COUNT: -1.}.get(
            key, 0.)

    def read(self):
        if self.count == self.last:
            return False, None
        frame = colour_video(5)[self.count % 5]
        self.count += 1
        return True, frame[..., ::-1]

    def release(self) -> None:
        type(self).opened -= 1


@pytest.fixture
def camera(monkeypatch):
    kind = type('OneCamera', (Camera, ), {})
    monkeypatch.setattr(cv2, 'VideoCapture', kind)
    return kind


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """With a video whose index is at its start."""
    folder = tmp_path_factory.mktemp('served')
    noise = np.random.default_rng(0).integers(0, 255, (30, 64, 96, 3),
                                              np.uint8)
    write_video(folder / 'clip.mp4', noise, fps=8)
    with file_server() as server:
        server.folder = folder
        server.files['clip.mp4'] = (folder / 'clip.mp4').read_bytes()
        server.files['page.mp4'] = b'<html>no video</html>'
        yield server


@pytest.mark.parametrize('video', [0, '0', np.int64(0)])
def test_cameras(camera, video):
    source = open_video(video)
    assert (source.name, source.fps, len(source)) == ('camera 0', 30, 0)
    assert camera.opened == 0  # until frames are read
    frames = source.frames()
    for t, expected in enumerate(colour_video(5)):
        name, _, frame = next(frames)
        assert name == f'{t:05d}'
        assert (frame == expected).all()
    assert source.times[0] == 0
    assert (np.diff(source.times) > 0).all()  # of the clock
    source.stop()
    assert list(frames) == []
    assert camera.opened == 0


def test_a_folder_with_the_name_of_a_camera(camera, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / '0' / '7.png', colour_video(1)[0])
    assert open_video('0').names == ['7']
    assert open_video(0).name == 'camera 0'


def test_a_number_of_frames(camera):
    source = open_video(0, max_frames=7)
    assert len(source) == 7
    assert sum(len(names) for names, _, _ in source.chunks(3)) == 7
    assert camera.opened == 0
    assert len(open_video(colour_video(3), max_frames=2)) == 2
    assert len(open_video(colour_video(3), max_frames=5)) == 3
    with pytest.raises(ValueError, match='max_frames must be at least 1'):
        open_video(0, max_frames=0)


def test_a_camera_that_is_unplugged(camera):
    camera.last = 4
    with pytest.warns(UserWarning, match='camera 0 gives no more.* 4 frames'):
        assert len(list(open_video(0).frames())) == 4


def test_cameras_that_cannot_be_opened(capfd):
    with pytest.raises(OSError, match='camera 63 cannot be opened: expected'):
        open_video(63)
    assert capfd.readouterr().err == ''  # OpenCV's own messages
    with pytest.raises(ValueError, match='camera -1: .* 0 or more'):
        open_video(-1)


def test_a_video_without_end_needs_a_window(camera, tmp_path):
    checkpoint = colour_checkpoint(tmp_path)
    inferencer = RVOSInferencer(
        colour_config(), checkpoint, show_progress=False)
    for call in (inferencer, inferencer.stream):
        with pytest.raises(ValueError, match='camera 0 has no end.* window'):
            call(0, 'red')
    result, = inferencer(open_video(0, max_frames=2), 'red')
    assert len(result.rles) == 2


@pytest.mark.parametrize(('kind', 'key_frame', 'refused'), [
    ('ReferFormer', 'most_confident', True),
    ('ReferFormer', 'first', False),
    ('GroundedSegmentor', 'first', True),
    ('GroundedSegmentor', 'first_window', False),
])
def test_a_video_without_end_needs_an_early_propagator(
        camera, kind, key_frame, refused):
    model = getattr(segmentors, kind).__new__(getattr(segmentors, kind))
    nn.Module.__init__(model)
    model.test_cfg = InferenceCfg(window=4)
    model.propagator = SAM2Propagator(key_frame=key_frame)
    with (pytest.raises(ValueError, match=f"'{key_frame}' starts at the end")
          if refused else nullcontext()):
        check_end(open_video(0), model)
    check_end(open_video(0, max_frames=3), model)


def test_masks_of_a_camera_come_while_it_runs(camera, tmp_path):
    inferencer = RVOSInferencer(
        colour_config(), colour_checkpoint(tmp_path), window=1,
        show_progress=False)
    source = open_video(0)
    for t, part in enumerate(inferencer.stream(source, 'red')):
        assert part.names == [f'{t:05d}']
        assert len(source.times) == t + 1
        if t == 3:
            source.stop()
    assert t == 3
    results = inferencer(open_video(0, max_frames=6), 'red', tmp_path / 'out')
    expected = colour_video(5)[[0, 1, 2, 3, 4, 0], ..., 0] > 150
    assert (results[0].masks == expected).all()
    video = cv2.VideoCapture  # the fake one; the file is looked at by name
    assert video is camera
    assert (tmp_path / 'out/overlay.mp4').stat().st_size > 0


def test_addresses(server):
    source = open_video(f'{server.url}/good/clip.mp4')
    assert (len(source), source.fps) == (30, 8)
    frames = [frame for _, _, frame in source.frames()]
    file = open_video(server.folder / 'clip.mp4')
    for frame, (_, _, expected) in zip(frames, file.frames(), strict=True):
        assert (frame == expected).all()
    assert source.times == pytest.approx(file.times)
    assert not source.endless


@pytest.mark.parametrize(('path', 'reason'), [
    ('good/missing.mp4', 'not found|404|refused'),
    ('good/page.mp4', 'no video|Invalid data'),
])
def test_addresses_without_a_video(server, path, reason):
    with pytest.raises(OSError, match=f'cannot be opened .*({reason})'):
        open_video(f'{server.url}/{path}')


def test_passwords_are_not_shown():
    with socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))
        port = closed.getsockname()[1]
        with pytest.raises(OSError, match='cannot be opened') as error:
            open_video(f'rtsp://me:sec@ret@127.0.0.1:{port}/a?key=hidden@b')
    assert str(error.value).startswith(
        f'rtsp://***@127.0.0.1:{port}/a?*** cannot be opened')


@pytest.mark.parametrize('scheme', ['http', 'rtsp'])
def test_a_server_that_is_silent(scheme):
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(OSError, match='no answer within 0.3 seconds'):
            LiveVideo(f'{scheme}://127.0.0.1:{port}/x.mp4', timeout=0.3)


def test_a_stream_that_falls_silent(server):
    """The server sends half of the file, then nothing."""
    source = LiveVideo(f'{server.url}/silent/clip.mp4', timeout=1.)
    with pytest.warns(UserWarning, match='no frame for 1 seconds|of 30 frame'):
        count = len(list(source.frames()))
    assert 0 < count < 30


@pytest.mark.parametrize('video', ['ftp://host/a.mp4', 'file:///etc/passwd',
                                   'concat://a|b'])
def test_other_schemes_are_refused(video):
    with pytest.raises(ValueError, match='begins with one of http, https'):
        open_video(video)
