"""Results are complete, nothing is lost, and nothing is left over."""
import json
import os

import cv2
import numpy as np
import pytest

from mmrvos.apis import RVOSInferencer
from mmrvos.utils.unfinished import unfinished_folder
from mmrvos.visualization import OverlayWriter, write_image

from ..colour_segmentor import (
    colour_checkpoint,
    colour_config,
    colour_video,
)
from ..test_visualization.test_video_writer import film


@pytest.fixture(scope='module')
def inferencer(tmp_path_factory):
    return RVOSInferencer(
        colour_config(),
        colour_checkpoint(tmp_path_factory.mktemp('weights')),
        show_progress=False)


@pytest.fixture
def segmented(inferencer):
    """The model's number of calls must not change in a test."""
    before = inferencer.model.calls
    yield
    assert inferencer.model.calls == before


def pngs(folder) -> list[str]:
    return sorted(
        str(p.relative_to(folder)) for p in (folder / 'masks').rglob('*.png'))


@pytest.mark.parametrize('fps', [-5, 0, float('nan'), 1e9, True, '25'])
def test_frame_rates_are_checked_first(inferencer, segmented, tmp_path, fps):
    with pytest.raises(ValueError, match=f'fps={fps!r}: expected'):
        inferencer(colour_video(), 'red', tmp_path / 'out', fps=fps)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['file', 'file/out', 'out/file'])
def test_paths_below_files_are_refused_first(inferencer, segmented, tmp_path,
                                             name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    path = tmp_path / name.replace('file', 'x')
    (tmp_path / 'x' if name.startswith('file') else path).write_text('x')
    with pytest.raises(OSError, match='x is not a folder'):
        inferencer(colour_video(), 'red', path)


@pytest.mark.parametrize(('out_dir', 'kind', 'message'), [
    ('', OSError, 'is empty'),
    (5, TypeError, r'5 \(int\), expected'),
    (b'out', TypeError, r'\(bytes\), expected'),
    (['out'], TypeError, r'\(list\), expected'),
    ('a\0b', OSError, 'cannot be a path'),
    ('\ud800', OSError, 'cannot be a path'),
])
def test_values_that_are_no_folder(inferencer, segmented, tmp_path,
                                   monkeypatch, out_dir, kind, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=message):
        inferencer(colour_video(), 'red', out_dir)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['masks', 'result.json', 'overlay.mp4'])
def test_names_that_are_taken(inferencer, segmented, tmp_path, name):
    if name == 'masks':
        (tmp_path / name).touch()
    else:
        (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError, match=f'{name} is a .*choose another'):
        inferencer(colour_video(), 'red', tmp_path)


def test_the_folder_of_the_frames_is_refused(inferencer, segmented, tmp_path):
    write_image(tmp_path / '0.png', colour_video(1)[0])
    with pytest.raises(ValueError, match='is the folder of the frames'):
        inferencer(tmp_path, 'red', tmp_path)


def test_a_codec_that_fails_is_known_first(inferencer, segmented, tmp_path,
                                           monkeypatch):
    monkeypatch.setattr(cv2.VideoWriter, 'isOpened', lambda self: False)
    monkeypatch.setattr('mmrvos.visualization.encoders.av', None)
    with pytest.raises(OSError, match="leave 'overlay' out of outputs"):
        inferencer(colour_video(), 'red', tmp_path / 'out')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('method', ['write', '__exit__'])
def test_an_overlay_that_fails_costs_nothing_else(inferencer, tmp_path,
                                                  monkeypatch, method):
    original = getattr(OverlayWriter, method)

    def fail(self, *args):
        if args[0] is not RuntimeError:
            raise RuntimeError('the disk is slow')
        return original(self, *args)

    monkeypatch.setattr(OverlayWriter, method, fail)
    with pytest.warns(UserWarning, match='left out.*the disk is slow'):
        inferencer(colour_video(3), 'red', tmp_path / 'out')
    names = sorted(os.listdir(tmp_path / 'out'))
    assert names == ['masks', 'result.json']
    assert len(pngs(tmp_path / 'out')) == 3
    assert os.listdir(tmp_path) == ['out']


@pytest.mark.parametrize('shape', [(400, 16), (1, 1), (8, 300)])
def test_tiny_frames(inferencer, tmp_path, shape):
    inferencer(np.zeros((2, *shape, 3), np.uint8), 'red', tmp_path)
    assert len(pngs(tmp_path)) == 2
    video = cv2.VideoCapture(str(tmp_path / 'overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 2


def test_a_second_run_replaces_the_first(inferencer, tmp_path):
    inferencer(colour_video(4), ['red', 'green'], tmp_path)
    (tmp_path / 'notes.txt').write_text('mine')
    (tmp_path / 'masks/1/mine.png').write_text('mine')
    inferencer(colour_video(2), 'red', tmp_path)
    assert pngs(tmp_path) == [
        'masks/0/00000.png', 'masks/0/00001.png', 'masks/1/mine.png']
    assert len(json.loads((tmp_path / 'result.json').read_text())
               ['frames']) == 2
    assert (tmp_path / 'notes.txt').read_text() == 'mine'
    inferencer(colour_video(2), 'red', tmp_path, outputs=['json'])
    assert sorted(os.listdir(tmp_path)) == [
        'masks', 'notes.txt', 'result.json']
    assert pngs(tmp_path) == ['masks/1/mine.png']


@pytest.mark.parametrize('content', [
    None, '[1]', '{"frames": 3}', '{', 100_000 * '[',
    '{"frames": ["../../x"], "expressions": [0]}'
])
def test_masks_of_others_are_never_deleted(inferencer, segmented, tmp_path,
                                           content):
    """Without a list of what an earlier run wrote, the call is refused."""
    out = tmp_path / 'out'
    for path in (out / 'masks/0/00000.png', tmp_path / 'x.png'):
        write_image(path, colour_video(1)[0])
    if content:
        (out / 'result.json').write_text(content)
    if content and content.endswith('[0]}'):
        (out / 'result.json').unlink()
    with pytest.raises(FileExistsError, match='00000.png exists, but no'):
        inferencer(colour_video(), 'red', out)
    assert (tmp_path / 'x.png').is_file()


def test_names_in_a_result_stay_in_its_folder(inferencer, tmp_path):
    write_image(tmp_path / 'x.png', colour_video(1)[0])
    out = tmp_path / 'out'
    (out / 'masks/0').mkdir(parents=True)
    (out / 'result.json').write_text(
        '{"frames": ["../../../x", "..", ""], "expressions": [0]}')
    inferencer(colour_video(1), 'red', out)
    assert (tmp_path / 'x.png').is_file()
    assert pngs(out) == ['masks/0/00000.png']


def test_sentences_below_the_minimum_have_no_masks(inferencer, tmp_path):
    video = colour_video(2)
    red, green = inferencer(
        video, ['red', 'green'], tmp_path, min_score=0.055)
    assert red.score < 0.055 < green.score
    assert not red.found and not red.masks.any()
    assert green.found
    assert (green.masks == (video[..., 1] > 150)).all()
    first, second = json.loads(
        (tmp_path / 'result.json').read_text())['expressions']
    assert (first['found'], second['found']) == (False, True)
    assert first['area'] == [0, 0]
    part, = inferencer.stream(video, ['red'], min_score=1)
    assert not np.any([r['counts'] != red.rles[0]['counts']
                       for r in part.pred.masks[0]])


@pytest.mark.parametrize('value', [2, -0.1, float('nan'), '0.5', None])
def test_the_minimum_is_checked(inferencer, segmented, value):
    for call in (inferencer, inferencer.stream):
        with pytest.raises(ValueError, match=f'min_score={value!r}: expected'):
            call(colour_video(1), 'red', min_score=value)


@pytest.mark.parametrize('fps', [float('nan'), 1e-6, 90000.])
def test_unusable_rates_of_a_file_are_replaced(inferencer, tmp_path, fps,
                                               monkeypatch):
    from mmrvos.apis import open_video
    source = open_video(colour_video(2))
    source.fps = fps
    with pytest.warns(UserWarning, match='frames per second; the overlay'):
        inferencer(source, 'red', tmp_path)
    video = cv2.VideoCapture(str(tmp_path / 'overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FPS) == 10


def test_file_systems_without_locks(tmp_path, monkeypatch):
    """Nothing is deleted that may belong to another process."""
    def fail(*args):
        raise OSError('No locks available')

    monkeypatch.setattr('fcntl.flock', fail)
    (tmp_path / '.unfinished_other').mkdir()
    with unfinished_folder(tmp_path) as folder:
        assert folder.is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ['.unfinished_other']


@pytest.mark.parametrize('fps', [None, 5])
def test_times_and_sound_of_the_video_are_kept(inferencer, tmp_path, fps):
    """Not with another frame rate: sound and picture would not agree."""
    av = pytest.importorskip('av')
    times = [0, 40, 300, 340, 800]
    film(tmp_path / 'film.mp4', times)
    inferencer(
        tmp_path / 'film.mp4', 'red', tmp_path / 'out', ['overlay'], fps=fps)
    with av.open(str(tmp_path / 'out/overlay.mp4')) as written:
        assert bool(written.streams.audio) == (fps is None)
        shown = [f.time for f in written.decode(video=0)]
    expected = [t / 1000 for t in times] if fps is None else [
        t / fps for t in range(5)]
    assert shown == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(('rotation', 'white'), [
    (-90, np.s_[:, 8:]), (90, np.s_[:, :8]), (180, np.s_[8:])])
def test_a_video_of_a_phone(inferencer, tmp_path, rotation, white):
    """Masks and overlay are upright, with the times and the sound."""
    av = pytest.importorskip('av')
    times = [0, 30, 170, 400, 420]
    film(tmp_path / 'phone.mov', times, rotation=rotation)
    result, = inferencer(tmp_path / 'phone.mov', 'red', tmp_path / 'out')
    expected = np.zeros((16, 32) if rotation == 180 else (32, 16), bool)
    expected[white] = True
    assert (result.masks == expected).all()
    with av.open(str(tmp_path / 'out/overlay.mp4')) as written:
        assert written.streams.audio
        frames = list(written.decode(video=0))
    assert [f.time for f in frames] == pytest.approx(
        [t / 1000 for t in times], abs=2e-4)
    assert [f.rotation for f in frames] == [0] * 5
