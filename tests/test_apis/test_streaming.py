"""Videos of any length: read, segmented and written piece by piece."""
import weakref

import cv2
import numpy as np
import pytest

from mmrvos.apis import RVOSInferencer
from mmrvos.apis.frame_sources import VideoFile
from mmrvos.models.propagators import MaskPropagator, PropagationPass
from mmrvos.visualization import write_image, write_video

from .test_with_referformer import TEXTS, setting  # noqa: F401


class StillPass(PropagationPass):
    """The masks of the key frame in all frames."""

    def step(self, t, frame, prompts, last):
        self.masks = [*getattr(self, 'masks', []), *prompts]
        return self.masks


class StillPropagator(MaskPropagator):
    """See :class:`StillPass`."""

    def start_pass(self, ori_shape, device, reverse, num_frames):
        return StillPass()


@pytest.fixture
def video(tmp_path):
    """An mp4 of 70 small frames."""
    frames = np.random.default_rng(0).integers(0, 255, (70, 32, 48, 3),
                                               np.uint8)
    write_video(tmp_path / 'clip.mp4', frames, fps=12)
    return tmp_path / 'clip.mp4'


@pytest.fixture
def reading(monkeypatch):
    """What is going on with the frames of video files."""
    state = dict(read=0, alive=0, most=0, limit=1000)
    read_frames = VideoFile.frames

    def forget():
        state['alive'] -= 1

    def counted(self):
        for name, path, image in read_frames(self):
            if state['read'] == state['limit']:
                return
            state['read'] += 1
            state['alive'] += 1
            state['most'] = max(state['most'], state['alive'])
            weakref.finalize(image, forget)
            yield name, path, image
            del image

    monkeypatch.setattr(VideoFile, 'frames', counted)
    return state


def test_frames_in_memory_do_not_grow_with_the_video(
        setting, video, reading, tmp_path):  # noqa: F811
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(
        cfg, checkpoint, window=5, overlap=2, show_progress=False)
    most = []
    for limit in (40, 70):
        reading.update(read=0, most=0, limit=limit)
        out = tmp_path / f'out{limit}'
        results = inferencer(video, TEXTS, out)
        assert reading['read'] == len(results[0].rles) == limit
        assert len(list((out / 'masks/1').iterdir())) == limit
        overlay = cv2.VideoCapture(str(out / 'overlay.mp4'))
        assert overlay.get(cv2.CAP_PROP_FRAME_COUNT) == limit
        most.append(reading['most'])
    assert most[0] == most[1] < 40
    assert reading['alive'] == 0


def test_parts_come_while_the_video_is_read(
        setting, video, reading):  # noqa: F811
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(
        cfg, checkpoint, window=5, show_progress=False)
    parts = inferencer.stream(video, TEXTS)
    first = next(parts)
    assert first.names == [f'{t:05d}' for t in range(5)]
    assert reading['read'] < 40
    names = first.names + [name for part in parts for name in part.names]
    assert names == [f'{t:05d}' for t in range(70)]
    # the same as in one go, and with the frames that the masks belong to
    together = inferencer(video, TEXTS)
    assert first.pred.masks == [r.rles[:5] for r in together]
    frames = [image for _, _, image in VideoFile(video).frames()][:5]
    assert (np.stack(first.images) == np.stack(frames)).all()


@pytest.mark.parametrize(('options', 'counts'), [
    (dict(), [5, 10, 15, 17]),
    # with an overlap, a window has to know whether frames follow
    (dict(overlap=2), [6, 9, 12, 15, 17]),
    (dict(propagator='first_window'), [5, 10, 15, 17]),
    (dict(propagator='most_confident'), [17, 17, 17, 17]),
])
def test_masks_come_while_frames_arrive(setting, options, counts):  # noqa: F811
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(
        cfg, checkpoint, window=5, overlap=options.get('overlap'),
        show_progress=False)
    if 'propagator' in options:
        inferencer.model.propagator = StillPropagator(
            key_frame=options['propagator'])
    taken = []

    def camera():
        for frame in np.random.default_rng(0).integers(
                0, 255, (17, 32, 48, 3), np.uint8):
            taken.append(frame)
            yield frame

    found, names = [], []
    for part in inferencer.stream(camera(), TEXTS):
        found.append(len(taken))
        names += part.names
        assert all(
            (image == taken[int(name)]).all()
            for name, image in zip(part.names, part.images, strict=True))
    assert found == counts
    assert names == [f'{t:05d}' for t in range(17)]


def test_a_video_that_breaks_off_leaves_nothing(
        setting, tmp_path):  # noqa: F811
    """When masks of its beginning have been made already."""
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(
        cfg, checkpoint, window=5, show_progress=False)
    frame = np.zeros((32, 48, 3), np.uint8)
    for t in range(40):
        write_image(tmp_path / f'frames/{t}.png', frame[:, :48 - (t == 38)])
    with pytest.raises(ValueError, match='frame 38 is'):
        inferencer(tmp_path / 'frames', TEXTS, tmp_path / 'out')
    assert [p.name for p in tmp_path.iterdir()] == ['frames']


def test_a_propagator_gets_the_whole_video(setting, video):  # noqa: F811
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(
        cfg, checkpoint, window=5, show_progress=False)
    seen = []

    class Counting(StillPropagator):

        def __call__(self, frames, pred, sample):
            seen.append((len(frames), len(pred.masks[0])))
            return pred

    inferencer.model.propagator = Counting()
    parts = list(inferencer.stream(video, TEXTS))
    assert seen == [(70, 70)]
    # the frames and masks are returned in windows again
    assert [len(part.names) for part in parts] == 14 * [5]


@pytest.mark.parametrize('propagator', [None, StillPropagator()])
def test_a_long_sentence_is_refused_before_the_video_is_read(
        setting, video, reading, tmp_path, propagator):  # noqa: F811
    cfg, checkpoint = setting
    inferencer = RVOSInferencer(cfg, checkpoint, show_progress=False)
    inferencer.model.propagator = propagator
    with pytest.raises(ValueError, match='has 102 tokens.* takes 64'):
        inferencer(video, ['red', ' '.join(100 * ['red'])], tmp_path / 'out')
    assert reading['read'] <= 16
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('options,said', [
    (dict(overlap=2), 'needs a test_cfg.window'),
    (dict(amp='int8'), "'bf16', 'fp16'"),
])
def test_options_are_checked(setting, options, said):  # noqa: F811
    cfg, checkpoint = setting
    with pytest.raises(ValueError, match=said):
        RVOSInferencer(cfg, checkpoint, **options)
