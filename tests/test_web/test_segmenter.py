"""Requests, answered by the shipped model."""
import json
import zipfile
from io import BytesIO

import cv2
import numpy as np
import pytest

from mmrvos.moving_shapes.videos import SIZES, make_video
from mmrvos.web import Limits, Segmenter
from mmrvos.web.examples import EXAMPLES, make_examples

MODEL = 'referformer_tiny_shapes_motion'


@pytest.fixture(scope='module')
def segmenter() -> Segmenter:
    return Segmenter(Limits(), device='cpu')


@pytest.fixture(scope='module')
def examples(tmp_path_factory) -> dict:
    made = make_examples(tmp_path_factory.mktemp('examples'))
    return dict(zip(EXAMPLES, made, strict=True))


def true_masks(index: int, sentence: str) -> np.ndarray:
    made = make_video(SIZES['small'], 'valid', index)
    expression, = [e for e in made.expressions if e.text == sentence]
    return made.video.labels == expression.meaning.target + 1


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def masks_in(archive, e: int) -> np.ndarray:
    """(T, H, W) bool of a sentence in masks.zip."""
    with zipfile.ZipFile(archive) as file:
        names = sorted(n for n in file.namelist()
                       if n.startswith(f'masks/{e}/'))
        return np.stack([
            cv2.imdecode(np.frombuffer(file.read(name), np.uint8), -1) > 0
            for name in names
        ])


@pytest.mark.parametrize('index', EXAMPLES)
def test_examples_have_right_answers(segmenter, examples, tmp_path, index):
    path, text = examples[index]
    shown = []
    answer = segmenter(MODEL, path, text.splitlines(), tmp_path,
                       progress=lambda *step: shown.append(step))
    assert [r.text for r in answer.results] == list(EXAMPLES[index])
    assert not answer.notes
    for e, result in enumerate(answer.results):
        assert overlap(result.masks, true_masks(index, result.text)) > 0.75
        np.testing.assert_array_equal(masks_in(answer.masks, e), result.masks)
    with zipfile.ZipFile(answer.masks) as file:
        stored = json.load(BytesIO(file.read('result.json')))
    assert [e['text'] for e in stored['expressions']] == text.splitlines()
    assert answer.overlay.stat().st_size > 1000
    assert shown[0] == ('loading the model', 0, 16)
    assert shown[-1] == ('segmenting', 16, 16)
    assert not (tmp_path / 'masks').exists()


def test_warnings_reach_the_visitor(segmenter, examples, tmp_path):
    answer = segmenter(MODEL, examples[31][0], ['the blue zebra'], tmp_path)
    assert "does not know 'zebra'" in answer.notes[0]


def test_min_score(segmenter, examples, tmp_path):
    answer = segmenter(MODEL, examples[31][0], ['the blue one'], tmp_path,
                       min_score=1.)
    assert not answer.results[0].found


def test_work_ends_when_the_page_is_closed(segmenter, examples, tmp_path):
    folder = tmp_path / 'gone'
    with pytest.raises(FileNotFoundError, match='the page was closed'):
        segmenter(MODEL, examples[31][0], ['the blue one'], folder)


def test_window():
    """Models without a window of their own get one, which bounds memory."""
    segmenter = Segmenter(Limits(), device='cpu')
    assert segmenter._load(MODEL).model.test_cfg.window == 36
    assert Segmenter(
        Limits(), device='cpu',
        window=5)._load(MODEL).model.test_cfg.window == 5
