"""What missing and unusable predictions count, in both rules."""
import shutil

import numpy as np
import pytest

from mmrvos.evaluation import (
    LongRVOSMetric,
    MeViSMetric,
    MovingShapesMetric,
    RefCOCOMetric,
    RefSAVMetric,
    RefYoutubeVOSMetric,
    ReVOSMetric,
)
from mmrvos.evaluation.missing import Fault
from mmrvos.evaluation.offline.benchmarks import benchmark_dataset, make_scorer
from mmrvos.evaluation.offline.scoring import score_all
from mmrvos.structures import PNGMasks

from .conftest import FRAMES, SIZE, encode, label_map, save

MISSING, UNUSABLE = Fault.MISSING, Fault.UNUSABLE


@pytest.fixture
def source(tmp_path):
    for t, frame in enumerate(FRAMES):
        save(tmp_path / f'{frame}.png', label_map(t))
    return PNGMasks(tmp_path, FRAMES)


def score(metric, source, *faults):
    """Score expressions about object 2, which is absent in frame 3.

    Args:
        faults: per expression {frame: what is in the place of the mask}.

    Returns:
        Per expression its mean J, None if it is left out.
    """
    truth = [encode(label_map(t) == 2) for t in range(4)]
    number = len(faults)
    sample = dict(
        video_id='v', frame_names=FRAMES,
        exp_ids=[str(e) for e in range(number)], obj_ids=[['2']] * number,
        type_ids=['static'] * number, lengths=[None] * number,
        mask_source=source,
        pred=dict(masks=[[fault.get(t, truth[t]) for t in range(4)]
                         for fault in faults]))
    records = {r['exp_id']: r for r in metric.records(sample)}
    return [float(records[str(e)]['J'].mean()) if str(e) in records else None
            for e in range(number)]


ALL = dict.fromkeys(range(4), MISSING)
#: (all of an expression, frame 0, frame 2, frame 3 without the object,
#: frame 2 unusable)
FAULTS = (ALL, {0: MISSING}, {2: None}, {3: MISSING}, {2: UNUSABLE})
OFFICIAL = dict(missing='official')
#: metric, its options, J of the expressions with FAULTS, J of the expressions
#: of a video without predictions
RULES = [
    (RefYoutubeVOSMetric, {}, (0, 0.75, 0.75, 0.75, 0.75), 0),
    (MeViSMetric, {}, (0, 0, 0, 0, 0), 0),
    (MeViSMetric, OFFICIAL, (None, ) * 5, 0),
    (LongRVOSMetric, {}, (0, 0, 0.75, 1, 0), 0),
    (LongRVOSMetric, OFFICIAL, (None, None, 0.75, 1, None), 0),
    (ReVOSMetric, {}, (0, 0, 0, 0, 0), 0),
    (ReVOSMetric, OFFICIAL, (0, 0, 0, 0, 0), 0),
    (ReVOSMetric, dict(OFFICIAL, protocol='sa2va'), (None, ) * 5, None),
    (RefSAVMetric, {}, (0, 0, 0, 0, 0), 0),
    (RefSAVMetric, OFFICIAL, (None, ) * 5, None),
]


@pytest.mark.parametrize('metric, options, expected, video', RULES)
def test_rules(source, metric, options, expected, video):
    metric = metric(**options)
    # the last expression is complete, so the video is not missing
    assert score(metric, source, *FAULTS, {}) == [*expected, 1]
    assert score(metric, source, ALL, ALL) == [video] * 2


def test_other_measures_of_what_counts_0(source):
    """An absent target would give tIoU and vIoU 1 to an empty mask."""
    metric = LongRVOSMetric()
    sample = dict(
        video_id='v', frame_names=FRAMES, exp_ids=['0'], obj_ids=[[]],
        type_ids=['static'], lengths=[None], mask_source=source,
        pred=dict(masks=[[None] * 4]))
    metric.process(None, [sample])
    summary = metric.compute_metrics(metric.results)
    assert {summary[k] for k in ('J&F', 'tIoU', 'vIoU')} == {0}
    metric = ReVOSMetric()
    metric.process(None, [dict(sample, type_ids=['hallucination'])])
    summary = metric.compute_metrics(metric.results)
    assert {summary[k] for k in ('J&F', 'A', 'R', 'N_acc')} == {0}


def test_no_hit_without_a_prediction(source):
    metric = MovingShapesMetric()
    truth = [encode(label_map(t) == 1) for t in range(4)]
    metric.process(None, [dict(
        video_id='v', frame_names=FRAMES, exp_ids=['0', '1'],
        obj_ids=[['1'], ['1']], type_ids=['a', 'b'], lengths=[None] * 2,
        mask_source=source, pred=dict(masks=[truth, [None] * 4]))])
    assert metric.compute_metrics(metric.results)['hit'] == 50


def test_missing_image_counts_0(source):
    metric = RefCOCOMetric()
    truth = encode(label_map(0) == 1)
    metric.process(None, [dict(
        video_id='v', frame_names=FRAMES[:1], exp_ids=['0', '1', '2'],
        obj_ids=[['1'], ['1'], []], type_ids=[None] * 3, lengths=[None] * 3,
        mask_source=source, pred=dict(masks=[[truth], [None], [MISSING]]))])
    summary = metric.compute_metrics(metric.results)
    for key in ('mIoU', 'P@0.5', 'box_mIoU', 'box_P@0.5'):
        assert summary[key] == pytest.approx(100 / 3, abs=1e-3), key


def test_lines_say_what_happens(mevis):
    """The message of a fault names its effect under the rule."""
    shutil.rmtree(mevis / 'pred/bb')
    shutil.rmtree(mevis / 'pred/aa/1')
    (mevis / 'pred/aa/0/00005.png').unlink()
    dataset = benchmark_dataset('mevis', mevis / 'gt')
    for missing, effect, records in (('zero', 'counts 0', 4),
                                     ('official', 'is left out', 2)):
        metric = MeViSMetric(missing=missing)
        done = list(score_all(make_scorer(dataset, metric, mevis / 'pred')))
        assert sum(len(scored.records) for scored in done) == records
        assert [line for scored in done for line in scored.problems] == [
            f'aa/1: the expression is missing: it {effect}',
            f'aa/0/00005.png: missing: the expression {effect}',
            'bb: the video is missing: each of its expressions counts 0',
        ]
        assert [scored.left_out for scored in done] == (
            [0, 0] if missing == 'zero' else [2, 0])


def test_official_mevis_needs_a_file_of_a_certain_name(mevis):
    """The official script reads the size from 00000.png."""
    dataset = benchmark_dataset('mevis', mevis / 'gt')
    (mevis / 'pred/aa/0/00000.png').rename(mevis / 'pred/aa/0/x.png')
    metric = MeViSMetric(missing='official')
    scored = make_scorer(dataset, metric, mevis / 'pred')(0)
    assert [r['exp_id'] for r in scored.records] == ['1']
    assert scored.problems == [
        'aa/0/00000.png: missing, and the official script reads the size '
        'there: the expression is left out']


def test_colours_and_indices_of_palettes(mevis):
    """By default a palette PNG counts by its indices; the official scripts
    read colours, and black is background."""
    from PIL import Image
    for t, frame in enumerate(FRAMES):
        image = Image.fromarray((label_map(t) == 1).astype(np.uint8), 'P')
        image.putpalette([0, 0, 0, 0, 0, 0])
        image.save(mevis / f'pred/aa/1/{frame}.png')
        colour = np.zeros((*SIZE, 3), np.uint8)
        colour[label_map(t) > 0, 2] = 90
        Image.fromarray(colour).save(mevis / f'pred/aa/0/{frame}.png')
    dataset = benchmark_dataset('mevis', mevis / 'gt')
    for missing, expected in (('zero', [1, 1]), ('official', [1, 0])):
        scored = make_scorer(dataset, MeViSMetric(missing=missing),
                             mevis / 'pred')(0)
        assert [r['J'].mean() for r in scored.records] == expected
