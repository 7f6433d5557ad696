import json
import runpy
import signal
import sys
from pathlib import Path

import cv2
import pytest

from mmrvos.apis import open_video
from mmrvos.visualization import write_image

from ..colour_segmentor import colour_checkpoint, colour_video
from ..test_apis.test_live_video import Camera

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """demo/video_demo.py with a model that knows colours."""

    def run_demo(*args: str) -> Path:
        monkeypatch.setattr(sys, 'argv', [
            'video_demo.py', '--model',
            str(ROOT / 'tests/test_tools/colour_shapes.py'), '--weights',
            colour_checkpoint(tmp_path), '--out-dir',
            str(tmp_path / 'out'), '--device', 'cpu', '--no-progress', *args
        ])
        runpy.run_path(
            str(ROOT / 'demo/video_demo.py'), run_name='__main__')
        return tmp_path / 'out'

    return run_demo


def test_folder_of_frames(demo, tmp_path, capsys):
    video = colour_video(3)
    for t, frame in enumerate(video):
        write_image(tmp_path / 'frames' / f'{t}.png', frame)
    out = demo(str(tmp_path / 'frames'), '--text', 'red', 'the green one')
    for e, channel in enumerate((0, 1)):
        for t in range(3):
            mask = cv2.imread(str(out / f'masks/{e}/{t}.png'), -1)
            assert (mask == 255 * (video[t, ..., channel] > 150)).all()
    said = json.loads((out / 'result.json').read_text())
    assert [e['text'] for e in said['expressions']] == ['red', 'the green one']
    assert (out / 'overlay.mp4').is_file()
    assert f'{out}: overlay.mp4' in capsys.readouterr().out


def test_missing_video_is_one_line(demo, tmp_path):
    with pytest.raises(SystemExit, match='holiday.mp4 is missing'):
        demo('holiday.mp4', '--text', 'red')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(('option', 'value', 'said'), [
    ('--fps', '-1', 'fps=-1'),
    ('--out-dir', '/dev/null/out', '/dev/null is not a folder'),
])
def test_options_are_checked_before_the_model_is_loaded(
        demo, tmp_path, monkeypatch, option, value, said):
    write_image(tmp_path / 'frames/0.png', colour_video(1)[0])
    monkeypatch.setattr('mmrvos.apis.RVOSInferencer.__init__', None)
    with pytest.raises(SystemExit, match=said):
        demo(str(tmp_path / 'frames'), '--text', 'red', option, value)


@pytest.fixture
def webcam(monkeypatch, tmp_path):
    """demo/webcam_demo.py with a camera and a model that knows colours."""
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)

    def run_demo(*args: str) -> None:
        monkeypatch.setattr(sys, 'argv', [
            'webcam_demo.py', '--model',
            str(ROOT / 'tests/test_tools/colour_shapes.py'), '--weights',
            colour_checkpoint(tmp_path), '--text', 'red', 'green', '--device',
            'cpu', *args
        ])
        runpy.run_path(
            str(ROOT / 'demo/webcam_demo.py'), run_name='__main__')

    return run_demo


def test_camera_to_a_file(webcam, monkeypatch, tmp_path, capsys):
    before = signal.getsignal(signal.SIGINT)
    try:
        webcam('--out', str(tmp_path / 'live.mp4'), '--max-frames', '5')
    finally:
        signal.signal(signal.SIGINT, before)
    assert '5 frames in' in capsys.readouterr().out
    monkeypatch.undo()
    frames = [image for _, _, image in open_video(
        tmp_path / 'live.mp4').frames()]
    assert len(frames) == 5


def test_camera_on_the_screen(webcam, monkeypatch, capsys):
    """Until q is pressed, at the third frame."""
    shown = []
    monkeypatch.setattr(cv2, 'imshow', lambda *args: shown.append(args))
    monkeypatch.setattr(
        cv2, 'waitKey', lambda _: ord('q') if len(shown) == 3 else -1)
    webcam()
    assert len(shown) == 3
    assert 'per second' in capsys.readouterr().out


def test_no_screen_is_one_line(webcam, monkeypatch):
    def fail(*args):
        raise cv2.error('could not connect to display')

    monkeypatch.setattr(cv2, 'imshow', fail)
    with pytest.raises(SystemExit, match='set --out'):
        webcam()


def test_an_interrupt_ends_a_live_video_and_keeps_its_frames(
        demo, monkeypatch, tmp_path):
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    before = signal.getsignal(signal.SIGINT)
    read = Camera.read

    def interrupted(self):
        if self.count == 3:
            signal.raise_signal(signal.SIGINT)
        return read(self)

    monkeypatch.setattr(Camera, 'read', interrupted)
    try:
        out = demo('0', '--text', 'red', '--window', '1')
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(list((out / 'masks/0').iterdir())) == 4
    assert json.loads((out / 'result.json').read_text())['video'] == 'camera 0'
