import itertools
import subprocess
import sys
from math import inf, nan

import cv2
import numpy as np
import pytest
from benchmarking import reference_evaluation as reference
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from mmrvos.evaluation import functional as F
from mmrvos.evaluation.functional import bit_plane

from .conftest import blob, encode

RNG = np.random.default_rng(7)


def random_masks(height: int, width: int, number: int = 3) -> np.ndarray:
    """Blobs, noise, empty, full."""
    noise = RNG.random((number, height, width))
    blobs = np.stack([cv2.blur(n, (9, 9)) > 0.5 for n in noise])
    return np.concatenate([
        blobs, noise > 0.9, np.zeros((1, height, width), bool),
        np.ones((1, height, width), bool)
    ])


@pytest.mark.parametrize('height, width', [(1, 1), (1, 70), (64, 1), (5, 64),
                                           (33, 65), (90, 127), (60, 200)])
@pytest.mark.parametrize('radius', [0, 1, 4, 8, 63, 64, 90])
def test_dilation_is_that_of_a_disk(height, width, radius):
    for mask in random_masks(height, width, 1):
        distance = ndimage.distance_transform_edt(~mask)
        expected = np.rint(distance**2) <= radius**2
        expected &= mask.any()
        words = bit_plane.pack(mask)
        np.testing.assert_array_equal(bit_plane.unpack(words, width), mask)
        assert bit_plane.count(words) == mask.sum()
        np.testing.assert_array_equal(
            bit_plane.unpack(bit_plane.dilate(words, radius), width), expected)


@pytest.mark.parametrize('height, width', [(48, 85), (1, 9), (120, 64),
                                           (36, 129)])
def test_equals_the_reference(height, width):
    masks = random_masks(height, width)
    void = RNG.random((height, width)) > 0.95
    for hidden in (np.zeros_like(void), void):
        for pred, gt in itertools.product(masks, masks):
            frame = gt[None], pred[None], hidden[None]
            j, f = F.region_and_contour(pred, gt, hidden)
            assert j == pytest.approx(
                reference.region_similarity(*frame)[0], abs=1e-12)
            assert f == pytest.approx(
                reference.contour_accuracy(*frame)[0], abs=1e-12)
            assert F.region_similarity(pred, gt, hidden) == j
            assert F.contour_accuracy(pred, gt, hidden) == f


def test_a_full_mask_has_no_boundary():
    full, empty = np.ones((20, 30)), np.zeros((20, 30))
    assert F.region_and_contour(full, empty) == (0, 1)
    assert F.region_and_contour(full, full) == (1, 1)
    assert F.region_and_contour(empty, empty) == (1, 1)


@pytest.mark.parametrize('size, radius', [((480, 854), 8), ((240, 426), 4),
                                          ((60, 80), 1)])
def test_boundary_radius(size, radius):
    assert F.boundary_radius(size) == radius
    assert F.boundary_radius(size, 3) == 3


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r'\(4, 5\).*\(5, 4\)'):
        F.region_similarity(np.zeros((4, 5)), np.zeros((5, 4)))


# ------------------------------------------------------------------- sequences


def test_statistics():
    values = [1, 1, 0.5, 0.6, 0, nan, 0.2, 0]
    mean, recall, decay = F.sequence_statistics(values)
    assert mean == pytest.approx(3.3 / 7)
    assert recall == 3 / 8  # 0.5 is not above, NaN neither
    # cut points of 8 frames: 0, 2 (1.75 rounded), 4 (3.5 goes up), 5, 7
    assert decay == pytest.approx(2.5 / 3 - 0.2 / 2)
    assert F.sequence_statistics([0.3]) == pytest.approx((0.3, 0, 0))
    with pytest.raises(ValueError, match='T > 0'):
        F.sequence_statistics([])


def test_decay_of_long_sequences():
    """Where the official code's 8 bit cut points wrap around."""
    values = np.linspace(1, 0, 1001)
    assert F.sequence_statistics(values).decay == pytest.approx(0.75)


def test_precision_is_strict():
    assert F.precision_at([0.5, 0.51, 0.9, 1]) == {
        0.5: 0.75, 0.6: 0.5, 0.7: 0.5, 0.8: 0.5, 0.9: 0.25}
    with pytest.raises(ValueError, match='got none'):
        F.precision_at([])


def test_spans():
    pred, gt = [1, 1, 0, 0], [0, 1, 1, 0]
    assert F.temporal_iou(pred, gt) == pytest.approx(1 / 3)
    assert F.video_iou([0, 0.6, 0, 1], pred, gt) == pytest.approx(0.2)
    assert F.temporal_iou([0, 0], [0, 0]) == 1
    assert F.video_iou([1, 1], [0, 0], [0, 0]) == 1


def test_temporal_variance():
    assert F.temporal_variance([0, 1, 0, 1]) == 0.25
    assert F.temporal_variance([0.4]) == 0
    assert np.isnan(F.temporal_variance([]))


def test_pixel_accuracy_compares_values():
    target = np.array([[0, 1], [1, 0]], np.uint8)
    assert F.pixel_accuracy(target, target) == 1
    assert F.pixel_accuracy(255 * target, target) == 0.5
    assert F.pixel_accuracy(np.ones_like(target), target) == 0.5


def test_robustness():
    target = np.zeros((10, 20), np.uint8)
    target[0] = 1
    pred = np.zeros_like(target)
    assert F.robustness(pred, target, 100) == 1
    assert F.robustness(pred, target, 0) == 1
    pred[0] = 1  # on the target
    assert F.robustness(pred, target, 100) == 1
    pred[1, :5] = 1  # five false pixels
    assert F.robustness(pred, target, 100) == pytest.approx(0.95)
    assert F.robustness(pred, target, 4) == 0
    assert F.robustness(pred, target, 0) == 0
    assert F.robustness(255 * pred, target, 2550) == pytest.approx(0.5)
    target[0] = 2  # two objects: 255 per marked pixel, as officially
    assert F.robustness(pred, target, 10210) == pytest.approx(0.5)


# ------------------------------------------------------------------ label maps


def test_merge_soft_masks():
    soft = np.array([[0.5, 0.7, 0.2, 0.49, 0.9], [0.5, 0.8, 0.3, 0.4, 0.1]])
    assert F.merge_soft_masks(soft).tolist() == [1, 2, 0, 0, 1]


def compare(pred, gt, protocol):
    sequence = F.LabelMapSequence(int(gt[0][gt[0] < 255].max()), protocol)
    for ours, theirs in zip(pred, gt, strict=True):
        sequence.add(ours, theirs)
    return sequence.objects()


def test_matching_finds_the_best_assignment():
    """Against all permutations; more predictions than objects."""
    gt = RNG.integers(0, 4, (3, 40, 50)).astype(np.uint8)
    gt[0, 0, 0] = 3
    pred = np.where(RNG.random(gt.shape) < 0.6, np.array(
        [0, 4, 2, 1], np.uint8)[gt], 3).astype(np.uint8)
    found = compare(pred, gt, 'unsupervised')
    assert {(o.pred_label, o.gt_label) for o in found} == {
        (4, 1), (2, 2), (1, 3)}
    assert [o.pred_label for o in found] == [1, 2, 4]
    for o in found:
        j, f = F.region_and_contour(pred == o.pred_label, gt == o.gt_label)
        np.testing.assert_allclose(o.j, j, atol=1e-12)
        np.testing.assert_allclose(o.f, f, atol=1e-12)


@pytest.mark.parametrize('seed', range(20))
def test_matching_equals_scipy(seed):
    """With and without one best prediction for each object, and with ties."""
    rng = np.random.default_rng(seed)
    values = rng.random((2, 4, 3, 5))
    values[:, 1, 2] += seed % 3
    values[:, 3, 0] += seed % 2
    values[:, 0, 1] += seed % 5
    if seed % 4 == 0:
        values[:, 2] = values[:, 1]
    rows, columns = linear_sum_assignment(-values.mean((0, 3)))
    assert F.match_objects(values) == list(
        zip(rows.tolist(), columns.tolist(), strict=True))


def test_matching_of_good_predictions_does_not_import_scipy():
    code = ('import sys; import numpy as np; '
            'from mmrvos.evaluation.functional import match_objects; '
            'print(match_objects(np.ones((2, 1, 1, 4)) * np.eye(3)'
            '[::-1, :, None]), "scipy.optimize" in sys.modules)')
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.split('\n')[0] == (
        '[(0, 2), (1, 1), (2, 0)] False'), done.stderr


def test_too_few_predictions_are_padded():
    gt = np.zeros((2, 9, 9), np.uint8)
    gt[:, :4], gt[:, 5:] = 1, 2
    pred = np.where(gt == 2, 1, 0).astype(np.uint8)
    by_gt = {o.gt_label: o for o in compare(pred, gt, 'unsupervised')}
    assert by_gt[2].pred_label == 1 and by_gt[2].j.tolist() == [1, 1]
    assert by_gt[1].j.tolist() == [0, 0]


def test_semi_supervised_leaves_out_the_ends_and_ignores_void():
    gt = np.zeros((4, 9, 9), np.uint8)
    gt[:, 2:5, 2:5] = 1
    pred = gt.copy()
    pred[0] = pred[3] = 0
    gt[:, 6] = 255
    pred[1, 6] = 1
    (values, ) = compare(pred, gt, 'semi-supervised')
    assert values.j.tolist() == [0.5, 1]  # void is background
    (values, ) = compare(pred, gt, 'fixed')
    assert values.j.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize('protocol, label', [
    ('unsupervised', 21), ('fixed', 2), ('semi-supervised', 2)])
def test_too_many_labels(protocol, label):
    gt = np.eye(9, dtype=np.uint8)
    sequence = F.LabelMapSequence(1, protocol)
    sequence.add(gt * (label - 1), gt)
    with pytest.raises(ValueError, match=f'label {label}'):
        sequence.add(gt * label, gt)
    with pytest.raises(ValueError, match='protocol'):
        F.LabelMapSequence(1, 'half-supervised')


def test_a_sequence_without_objects():
    sequence = F.LabelMapSequence(0, 'fixed')
    sequence.add(None, np.zeros((5, 5), np.uint8))
    assert sequence.objects() == []


# -------------------------------------------------------------- single frames


def test_best_candidate_is_the_last_of_equals():
    assert F.best_candidate(np.array([0.3, 0.7, 0.7, 0.1])) == 2


def test_smoothed_iou_is_single_precision():
    assert F.smoothed_iou(0, 0) == 1
    assert F.smoothed_iou(1, 2) > 0.5
    assert F.smoothed_iou(1000, 2000) == 0.5


def sample(scores, ious, gt_area=100):
    areas = np.full(len(scores), 100)
    return F.RankedSample(
        np.array(scores, float), np.array(ious, float),
        np.round(200 * np.array(ious) / (1 + np.array(ious))).astype(int),
        areas, gt_area)


def test_coco_measures_by_hand():
    """Two samples: a hit at IoU 0.72 that is ranked first, a miss."""
    result = F.coco_measures([sample([0.9, 0.1], [0.72, 0]),
                              sample([0.5], [0.2])])
    hit = 51 / 101  # precision 1 up to recall 0.5
    assert result['AP50'] == pytest.approx(hit)
    assert result['AP75'] == 0
    assert result['mAP'] == pytest.approx(hit * 5 / 10)
    assert result['AP_l'] == -1


@pytest.mark.parametrize('scores, words', [([nan], 'finite'),
                                           ([inf], 'finite'),
                                           ([1, 2], 'one score per mask')])
def test_scores_must_rank(scores, words):
    rle = encode(blob(1, 1))
    with pytest.raises(ValueError, match=words):
        F.rank_masks([rle], scores, rle)
    with pytest.raises(ValueError, match='original size'):
        F.rank_masks([encode(np.ones((4, 4)))], [1], rle)


def test_boxes():
    mask = np.zeros((10, 12), bool)
    mask[2:5, 3:9] = True
    assert F.enclosing_box(mask).tolist() == [3, 2, 9, 5]
    assert F.enclosing_box(np.zeros((3, 3), bool)).tolist() == [0] * 4
    both, either = F.box_overlap([[0, 0, 4, 4], [0, 0, 1, 1]],
                                 [[2, 2, 6, 6], [5, 5, 4, 4]])
    assert both.tolist() == [4, 0]
    assert either.tolist() == [28, 1]


def test_splits_that_share_a_name():
    records = [dict(type_id='short', length='short', x=1),
               dict(type_id='other', length='short', x=3)]
    summary = F.with_splits(
        lambda part: {'x': np.mean([r['x'] for r in part]), 'y': 0}, records,
        headline=['x'])
    assert summary == {'x': 2, 'y': 0, 'x/other': 3, 'x/short': 1,
                       'x/length=short': 2}
