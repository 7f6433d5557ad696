"""Results as detections of the real package supervision."""
import subprocess
import sys

import numpy as np
import pycocotools.mask as mask_utils
import pytest

from mmrvos.apis import ExpressionResult


def result(text: str, left: int, num_frames: int = 3) -> ExpressionResult:
    """A square that moves right and is not in the last frame."""
    masks = np.zeros((num_frames, 20, 30), np.uint8)
    for t in range(num_frames - 1):
        masks[t, 5:10, left + t:left + t + 6] = 1
    return ExpressionResult(
        text, 0.75, [mask_utils.encode(np.asfortranarray(m)) for m in masks])


def test_detections_of_each_frame():
    sv = pytest.importorskip('supervision')
    found = result('the red square', 4)
    frames = found.to_supervision(class_id=2)
    assert len(frames) == 3
    first, second, last = frames
    assert isinstance(first, sv.Detections)
    np.testing.assert_array_equal(first.xyxy, [[4, 5, 9, 9]])
    np.testing.assert_array_equal(second.xyxy, [[5, 5, 10, 9]])
    np.testing.assert_array_equal(second.mask, found.masks[1:2])
    assert second.mask.dtype == bool
    np.testing.assert_array_equal(first.confidence, [0.75])
    np.testing.assert_array_equal(first.class_id, [2])
    np.testing.assert_array_equal(first.tracker_id, [2])
    assert list(first.data['class_name']) == ['the red square']
    assert len(last) == 0
    assert len(frames[1:]) == 2
    np.testing.assert_array_equal(frames[1:][0].xyxy, second.xyxy)
    np.testing.assert_array_equal(frames[-2].xyxy, second.xyxy)
    with pytest.raises(IndexError):
        frames[3]


def test_annotators_take_them():
    """Two sentences in one picture, also where one of them has no mask."""
    sv = pytest.importorskip('supervision')
    one, two = result('one', 2), result('two', 18, num_frames=4)
    two.rles = two.rles[:3]
    pairs = list(
        zip(one.to_supervision(0), two.to_supervision(1), strict=True))
    assert [len(sv.Detections.merge(pair)) for pair in pairs] == [2, 2, 1]
    for pair in pairs:
        both = sv.Detections.merge(pair)
        image = np.zeros((20, 30, 3), np.uint8)
        image = sv.MaskAnnotator(opacity=1).annotate(image, both)
        drawn = image.any(-1)
        np.testing.assert_array_equal(drawn, both.mask.any(0))
        colours = {tuple(image[d.mask[0]][0]) for d in pair if len(d)}
        assert len(colours) == len(both)
        for annotator in (sv.BoxAnnotator(), sv.LabelAnnotator(),
                          sv.TraceAnnotator()):
            annotator.annotate(image.copy(), both)


def test_without_supervision():
    """One line, and no import before it is needed."""
    code = ('import sys; from mmrvos.apis import ExpressionResult; '
            'assert "supervision" not in sys.modules; '
            'sys.modules["supervision"] = None; '
            'ExpressionResult("one", 1., []).to_supervision()')
    done = subprocess.run([sys.executable, '-c', code],
                          capture_output=True,
                          text=True)
    assert done.stderr.splitlines()[-1] == (
        'ImportError: to_supervision() needs the package supervision: '
        'pip install supervision')
