import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmrvos.apis import RVOSInferencer
from mmrvos.registry import DATASETS
from mmrvos.utils import CheckpointMismatch, ConfigError
from mmrvos.visualization import write_image

from ..colour_segmentor import (
    colour_checkpoint,
    colour_config,
    colour_video,
)


@pytest.fixture
def inferencer(tmp_path):
    return RVOSInferencer(
        colour_config(), colour_checkpoint(tmp_path), show_progress=False)


def test_masks_of_several_sentences(inferencer):
    video = colour_video()
    red, green = inferencer(video, ['the RED one', 'the green one'])
    assert (red.masks == (video[..., 0] > 150)).all()
    assert (green.masks == (video[..., 1] > 150)).all()
    assert red.text == 'the RED one'  # the model read it in lower case
    assert red.score == pytest.approx((video[..., 0] > 150).mean(), abs=1e-6)
    # the sentences shared the encoding of the frames
    assert inferencer.model.calls == 1


def test_one_sentence_may_be_a_string(inferencer):
    result, = inferencer(colour_video(1), 'green')
    assert result.masks.shape == (1, 48, 80)


def test_chunks_do_not_matter(inferencer):
    """A video longer than a chunk of frames, and not a multiple of it."""
    video = np.concatenate([colour_video(7)] * 5)
    result, = inferencer(video, 'red')
    assert (result.masks == (video[..., 0] > 150)).all()


def test_written_files(inferencer, tmp_path):
    video = colour_video(3)
    out = tmp_path / 'out'
    inferencer(video, ['red', 'blue'], out_dir=out, fps=5)
    assert sorted(p.name for p in out.iterdir()) == [
        'masks', 'overlay.mp4', 'overlay.png', 'result.json'
    ]
    for t in range(3):
        red = cv2.imread(str(out / f'masks/0/{t:05d}.png'), -1)
        blue = cv2.imread(str(out / f'masks/1/{t:05d}.png'), -1)
        assert (red == 255 * (video[t, ..., 0] > 150)).all()
        assert not blue.any()
    said = json.loads((out / 'result.json').read_text())
    assert (said['height'], said['width']) == (48, 80)
    assert said['frames'] == ['00000', '00001', '00002']
    first, second = said['expressions']
    assert first['text'] == 'red'
    assert first['area'] == pytest.approx([12 * 16 / (48 * 80)] * 3, abs=1e-5)
    assert (second['score'], second['area']) == (0, [0, 0, 0])
    overlay = cv2.VideoCapture(str(out / 'overlay.mp4'))
    assert overlay.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert overlay.get(cv2.CAP_PROP_FPS) == 5


def test_json_of_more_frames_than_a_byte_counts(inferencer, tmp_path):
    video = np.concatenate([colour_video(3)] * 100)
    inferencer(video, 'red', tmp_path / 'out', outputs=['json'])
    said = json.loads((tmp_path / 'out/result.json').read_text())
    assert said['expressions'][0]['area'] == pytest.approx(
        [12 * 16 / (48 * 80)] * 300, abs=1e-5)


def test_outputs_are_chosen(inferencer, tmp_path):
    inferencer(colour_video(2), 'red', tmp_path / 'out', outputs=['json'])
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['result.json']
    inferencer(colour_video(2), 'red', tmp_path / 'out', outputs='masks')
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['masks']
    with pytest.raises(ValueError, match='gif.*expected some of'):
        inferencer(colour_video(2), 'red', tmp_path, outputs=['gif'])


def test_bad_input_writes_nothing(inferencer, tmp_path):
    out = tmp_path / 'out'
    for texts in ([], [''], ['red', '  ']):
        with pytest.raises(ValueError, match='none of them empty'):
            inferencer(colour_video(), texts, out)
    odd = [*colour_video(2), colour_video(1, (48, 60))[0]]
    with pytest.raises(ValueError, match=r'frame 00002 is \(48, 60\)'):
        inferencer(odd, 'red', out)
    assert not out.exists()


def test_same_masks_as_testing(inferencer, tmp_path):
    """The dataset's way and the inferencer's way through the pipeline."""
    data, names = tmp_path / 'data', ['00000', '00005']
    for name, frame in zip(names, colour_video(2), strict=True):
        write_image(data / 'valid/JPEGImages/v' / f'{name}.jpg', frame)
    expressions = {'0': dict(exp='the Green  one', obj_id='1')}
    listed = dict(videos=dict(v=dict(expressions=expressions, frames=names)))
    path = data / 'meta_expressions/valid/meta_expressions.json'
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(listed))
    init_default_scope('mmrvos')
    dataset = DATASETS.build(
        dict(
            type='RefYoutubeVOSDataset',
            ann_file='meta_expressions/valid/meta_expressions.json',
            data_root=str(data),
            data_prefix=dict(img='valid/JPEGImages', mask='valid/Annotations'),
            test_mode=True,
            pipeline=colour_config().test_dataloader.dataset.pipeline))
    with torch.no_grad():
        tested, = inferencer.model.test_step(pseudo_collate([dataset[0]]))
    result, = inferencer(data / 'valid/JPEGImages/v', 'the Green  one')
    assert tested.texts == ['the green one']
    assert result.rles == tested.pred.masks[0]
    assert result.masks.any()


def test_weights_must_be_given_and_fit(tmp_path):
    with pytest.raises(ValueError, match='weights is None'):
        RVOSInferencer(colour_config())
    torch.save(dict(thresh=torch.zeros(3)), tmp_path / 'other.pth')
    with pytest.raises(CheckpointMismatch) as error:
        RVOSInferencer(colour_config(), str(tmp_path / 'other.pth'))
    assert '1 missing:\n  threshold' in str(error.value)
    assert '1 unexpected:\n  thresh\n' in str(error.value)
    with pytest.raises(FileNotFoundError, match='nothing.pth is missing'):
        RVOSInferencer(colour_config(), 'nothing.pth')


def test_config_of_a_training_checkpoint(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    weights = torch.load(colour_checkpoint(tmp_path))
    torch.save(
        dict(meta=dict(cfg=colour_config().pretty_text), state_dict=weights),
        path)
    inferencer = RVOSInferencer(weights=str(path), show_progress=False)
    result, = inferencer(colour_video(1), 'red')
    assert (result.masks == (colour_video(1)[..., 0] > 150)).all()


def test_cfg_options_are_checked(tmp_path):
    weights = colour_checkpoint(tmp_path)
    with pytest.raises(ConfigError, match="no key 'visualiser'"):
        RVOSInferencer(
            colour_config(), weights, cfg_options={'visualiser.alpha': 0.9})
    inferencer = RVOSInferencer(
        colour_config(), weights, cfg_options={'log_level': 'ERROR'})
    assert inferencer.cfg.log_level == 'ERROR'


def test_a_config_that_does_not_run_is_named(tmp_path):
    (tmp_path / 'bad.py').write_text('model = dict(')
    with pytest.raises(ConfigError, match='bad.py cannot be read'):
        RVOSInferencer(tmp_path / 'bad.py', 'weights.pth')


def test_names_of_the_index():
    with pytest.raises(ValueError, match='referformer_tiny_shapes'):
        RVOSInferencer('referformer/tiny_shape')
    with pytest.raises(FileNotFoundError, match='expected a config file'):
        RVOSInferencer('configs/nothing.py')


@pytest.mark.parametrize('device', ['cuda:99', 'foo', 'cpu:x', ''])
def test_a_device_that_is_not_there(tmp_path, device):
    with pytest.raises(ValueError, match=f"'{device}' cannot be used"):
        RVOSInferencer(colour_config(), 'never-read.pth', device=device)


@pytest.mark.parametrize('texts', [[None], ['red', 3], 5, b'red'])
def test_sentences_that_are_no_strings(inferencer, texts):
    with pytest.raises(TypeError, match='sentence'):
        inferencer(colour_video(1), texts)


@pytest.mark.parametrize('text', ['red \ud800', '\udcff'])
def test_sentences_that_are_no_unicode(inferencer, text):
    with pytest.raises(ValueError, match='half a character'):
        inferencer(colour_video(1), ['red', text])


def test_too_little_memory_is_one_line(inferencer, tmp_path, monkeypatch):
    def stream(pieces, sample):
        raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate')

    monkeypatch.setattr(inferencer.model, 'stream', stream)
    with pytest.raises(ValueError, match='too little memory.*smaller. window'):
        inferencer(colour_video(2), 'red', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_style_of_the_overlay(tmp_path):
    weights = colour_checkpoint(tmp_path)
    inferencer = RVOSInferencer(
        colour_config(), weights, style='spotlight', show_progress=False)
    assert inferencer.visualizer.style == 'spotlight'
    with pytest.raises(ValueError, match="'neon', expected one of"):
        RVOSInferencer(colour_config(), weights, style='neon')


def test_an_iterator_of_frames(inferencer):
    video = colour_video(3)
    result, = inferencer(iter(video), 'red')
    assert (result.masks == (video[..., 0] > 150)).all()
