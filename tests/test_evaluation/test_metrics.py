"""The MMEngine metrics, through MMEngine's evaluator."""
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmrvos.evaluation import ExpressionMetric, VideoMetric
from mmrvos.evaluation.functional import region_and_contour
from mmrvos.registry import METRICS
from mmrvos.structures import PNGMasks, RLEMasks, RVOSDataSample

from ..test_models.tiny import make_batch, tiny_model
from .conftest import FRAMES, SIZE, blob, encode, label_map, save


def make_sample(masks, obj_ids, source, video_id='aa', **meta):
    """A data sample whose prediction is (E, T, H, W)."""
    number, frames = len(masks), len(masks[0])
    defaults = dict(
        video_id=video_id,
        frame_names=FRAMES[:frames],
        exp_ids=[str(e) for e in range(number)],
        texts=['words'] * number,
        obj_ids=obj_ids,
        type_ids=[None] * number,
        lengths=[None] * number,
        ori_shape=SIZE,
        mask_source=source)
    sample = RVOSDataSample(metainfo={**defaults, **meta})
    sample.pred = InstanceData(
        masks=[[encode(mask) for mask in video] for video in masks],
        scores=torch.ones(number))
    return sample


def evaluate(cfg, *batches, size=None):
    evaluator = Evaluator([METRICS.build(cfg)])
    for batch in batches:
        evaluator.process(list(batch), {})
    return evaluator.evaluate(size or sum(map(len, batches)))


@pytest.fixture
def source(tmp_path):
    for t, frame in enumerate(FRAMES):
        save(tmp_path / f'{frame}.png', label_map(t))
    return PNGMasks(tmp_path, FRAMES)


def shifted(label, step):
    return np.stack([np.roll(label_map(t) == label, step, axis=1)
                     for t in range(len(FRAMES))])


def truth(label):
    return shifted(label, 0)


# ----------------------------------------------------------------- J and F


def test_mean_over_frames_then_over_expressions(source):
    preds = [shifted(1, 3), truth(2), shifted(2, 1)]
    sample = make_sample(
        preds, [['1'], ['2'], ['2']], source,
        type_ids=['look', 'look', 'motion'], lengths=['short', None, 'long'])
    result = evaluate(dict(type='RefYoutubeVOSMetric'), [sample])
    j, f = np.array([
        [v.mean() for v in region_and_contour(p, truth(k))]
        for p, k in zip(preds, (1, 2, 2), strict=True)]).T
    for key, value in {
            'J': j.mean(), 'F': f.mean(), 'J&F': (j + f).mean() / 2,
            'J/look': j[:2].mean(), 'F/motion': f[2], 'J/short': j[0],
            'J&F/long': (j[2] + f[2]) / 2}.items():
        assert result[f'ytvos/{key}'] == pytest.approx(100 * value), key
    assert result['ytvos/P@0.9'] == pytest.approx(100 * np.mean(j > 0.9))
    frames = np.concatenate([
        region_and_contour(p, truth(k))[0]
        for p, k in zip(preds, (1, 2, 2), strict=True)])
    assert result['ytvos/frame_P@0.9'] == pytest.approx(
        100 * np.mean(frames > 0.9))
    assert 'ytvos/P@0.9/look' not in result


def test_stability_with_and_without_frames_that_lack_the_target(source):
    sample = make_sample([shifted(2, 1)], [['2']], source)
    result = evaluate(dict(type='RefYoutubeVOSMetric'), [sample])
    j = region_and_contour(shifted(2, 1), truth(2))[0]
    assert j[-1] == 1 and j[0] < 1  # the object is gone, and so is the mask
    assert result['ytvos/var_J'] == pytest.approx(1e4 * j.var())
    assert result['ytvos/var_J_present'] == pytest.approx(1e4 * j[:3].var())


def test_one_entry_a_sample_survives_the_merge_of_ranks(source):
    """MMEngine cuts the results to the length of the data set: entries per
    expression would lose most of them."""
    first = make_sample([truth(1), truth(2), shifted(1, 9)],
                        [['1'], ['2'], ['1']], source)
    second = make_sample([truth(1)] * 2, [['1']] * 2, source, video_id='bb')
    padding = make_sample([shifted(1, 30)], [['1']], source)
    cfg = dict(type='MeViSMetric')
    assert evaluate(cfg, [first, second], [padding], size=2) == evaluate(
        cfg, [first], [second])


def test_mevis_takes_the_union(source):
    both = truth(1) | truth(2)
    sample = make_sample([both], [['1', '2']], source)
    assert evaluate(dict(type='MeViSMetric'), [sample])['mevis/J&F'] == 100


def test_valid_span_and_void(source):
    sample = make_sample([truth(1)], [['1']], source, valid_span=(0, 1))
    assert evaluate(dict(type='MeViSMetric'), [sample])['mevis/J'] == 50
    source.void_value = 1
    sample = make_sample([truth(2) | truth(1)], [['2']], source)
    assert evaluate(dict(type='MeViSMetric'), [sample])['mevis/J'] == 100


def test_long_rvos_spans(source):
    pred = truth(2)
    pred[0] = False
    pred[3, 5:9, 5:9] = True
    sample = make_sample([pred], [['2']], source, type_ids=['dynamic'])
    result = evaluate(dict(type='LongRVOSMetric'), [sample])
    assert result['long_rvos/tIoU'] == pytest.approx(50)
    assert result['long_rvos/vIoU/dynamic'] == pytest.approx(50)
    assert result['long_rvos/J'] == pytest.approx(50)


def test_long_rvos_total_is_over_three_types(source):
    sample = make_sample(
        [truth(1), truth(2), truth(2), truth(1)],
        [['1'], ['2'], ['1'], ['2']], source,
        type_ids=['static', 'static', 'hybrid', 'other'])
    result = evaluate(dict(type='LongRVOSMetric'), [sample])
    assert result['long_rvos/J/static'] == 100
    assert result['long_rvos/J/hybrid'] == result['long_rvos/J/other'] == 0
    # the mean of three expressions, not of two types
    assert result['long_rvos/J'] == pytest.approx(200 / 3)


def test_revos_averages_two_rows(source):
    nothing = np.zeros((4, *SIZE), bool)
    preds = [truth(1), truth(2), nothing, nothing, truth(1)]
    sample = make_sample(
        preds, [['1'], ['2'], ['1'], [], []], source,
        type_ids=['referring', 'referring', 'reason', 'hallucination',
                  'hallucination'])
    result = evaluate(dict(type='ReVOSMetric'), [sample])
    assert result['revos/J&F'] == 50
    assert result['revos/J&F/referring'] == 100
    assert result['revos/J&F/reason'] == 0
    assert result['revos/J&F/hallucination'] == 50
    pixels, area = SIZE[0] * SIZE[1], truth(1)[0].sum()
    missed = 100 * (1 - area / pixels)
    assert result['revos/A/reason'] == pytest.approx(missed)
    assert result['revos/A'] == pytest.approx((100 + missed) / 2)
    # object 1 and, but for the last frame, object 2 are the foreground
    false = np.mean([area / (label_map(t) > 0).sum() for t in range(4)])
    assert result['revos/R'] == 100
    assert result['revos/R/hallucination'] == pytest.approx(
        100 * (1 + 1 - false) / 2)
    assert result['revos/T_acc'] == pytest.approx(200 / 3)
    assert result['revos/N_acc'] == 50


def test_revos_with_one_row(source):
    sample = make_sample([truth(1)], [['1']], source, type_ids=['reason'])
    assert evaluate(dict(type='ReVOSMetric'), [sample])['revos/J&F'] == 100


def test_ref_sav_averages_long_and_short(source):
    nothing = np.zeros((4, *SIZE), bool)
    sample = make_sample(
        [truth(1), truth(1), nothing], [['1']] * 3, source,
        lengths=['long', 'long', 'short'])
    result = evaluate(dict(type='RefSAVMetric'), [sample])
    assert result['ref_sav/J&F'] == 50
    assert result['ref_sav/A/long'] == 100
    assert 'ref_sav/R' not in result


def test_rle_sources(source):
    rles = {'7': [encode(m) if m.any() else None for m in truth(2)]}
    sample = make_sample([truth(2)], [['7']], RLEMasks(rles, SIZE))
    assert evaluate(dict(type='MeViSMetric'), [sample])['mevis/J&F'] == 100


@pytest.mark.parametrize('meta, words', [
    (dict(mask_source=None), 'SubmissionWriter'),
    (dict(), 'original size'),
])
def test_what_cannot_be_scored(source, meta, words):
    sample = make_sample([np.zeros((4, 5, 5))], [['1']], source, **meta)
    with pytest.raises(ValueError, match=words):
        evaluate(dict(type='MeViSMetric'), [sample])


@pytest.mark.parametrize('cfg', [
    dict(type='MeViSMetric', extras=['speed']),
    dict(type='MeViSMetric', split_by=['colour']),
    dict(type='RefDAVISMetric', protocol='free'),
    dict(type='ReVOSMetric', protocol='free'),
    dict(type='RefSAVMetric', protocol='visa'),
    dict(type='MeViSMetric', missing='none'),
    dict(type='RefYoutubeVOSMetric', missing='official'),
    dict(type='A2DMetric', missing='official'),
    dict(type='SubmissionWriter', layout='davis', out_dir='x'),
])
def test_options_are_checked(cfg):
    with pytest.raises(ValueError, match='expected'):
        METRICS.build(cfg)


def test_a_metric_is_extended_by_its_records(source):
    """What Moving Shapes does for its hit rate."""

    class Sizes(VideoMetric):
        headline = ('J', 'area')

        def score(self, sample):
            return [dict(r, area=int(r['pred_area'].sum()))
                    for r in super().score(sample)]

        def summarise(self, records):
            return dict(super().summarise(records),
                        area=sum(r['area'] for r in records))

    metric = Sizes(split_by=['length'])
    assert isinstance(metric, ExpressionMetric)
    sample = make_sample([truth(1), truth(2)], [['1'], ['2']], source,
                         lengths=['short', 'long'])
    metric.process({}, [sample.to_dict()])
    result = metric.evaluate(1)
    assert result['area'] == truth(1).sum() + truth(2).sum()
    assert result['area/long'] == truth(2).sum()
    assert 'F/long' not in result


# ------------------------------------------------------------- Ref-DAVIS17


def davis_samples(source, *predictions):
    return [
        make_sample(
            p, [['1'], ['2']], source, exp_ids=[str(a), str(4 + a)],
            annotator=a) for a, p in enumerate(predictions)
    ]


def test_ref_davis_protocols(source):
    right, swapped = [truth(1), truth(2)], [truth(2), truth(1)]
    samples = davis_samples(source, right, swapped)
    matched = evaluate(dict(type='RefDAVISMetric'), samples)
    assert matched['davis17/J&F'] == matched['davis17/J-Recall'] == 100
    fixed = evaluate(dict(type='RefDAVISMetric', protocol='fixed'), samples)
    assert fixed['davis17/J&F'] == 50  # the first annotator's
    semi = evaluate(
        dict(type='RefDAVISMetric', protocol='semi-supervised'), samples)
    assert semi['davis17/J&F'] == 50
    for sample in samples:  # identifiers say the same
        del sample.annotator
    assert evaluate(dict(type='RefDAVISMetric'), samples) == matched


def test_ref_davis_annotators_weigh_the_same(source):
    """Annotators, not expressions: the first has two videos here."""
    nothing = [np.zeros_like(truth(1))] * 2
    right = [truth(1), truth(2)]
    samples = davis_samples(source, right, nothing)
    samples += davis_samples(source, right)
    samples[-1].set_metainfo(dict(video_id='bb'))
    # the second object's last frame is empty, in the prediction as well
    expected = (100 + 100 * (0 + 0.25) / 2) / 2
    assert evaluate(dict(type='RefDAVISMetric'),
                    samples)['davis17/J'] == pytest.approx(expected)


def test_ref_davis_late_objects_are_not_evaluated(tmp_path):
    for t, frame in enumerate(FRAMES):
        labels = label_map(t)
        if t == 0:
            labels[labels == 2] = 0
        save(tmp_path / f'{frame}.png', labels)
    source = PNGMasks(tmp_path, FRAMES, void_value=255)
    preds = [truth(1), np.zeros_like(truth(2))]
    for protocol in ('unsupervised', 'fixed'):
        result = evaluate(dict(type='RefDAVISMetric', protocol=protocol),
                          davis_samples(source, preds))
        assert result['davis17/J&F'] == 100


def test_ref_davis_masks_must_be_merged(source):
    samples = davis_samples(source, [truth(1), truth(1)])
    with pytest.raises(ValueError, match='overlap'):
        evaluate(dict(type='RefDAVISMetric'), samples)


# ------------------------------------------------------------ single frames


def ranked_sample(candidates, scores, source, **meta):
    sample = make_sample([[SIZE_EMPTY]] * len(candidates),
                         [['1']] * len(candidates), source, **meta)
    sample.pred.query_masks = [[encode(m) for m in c] for c in candidates]
    sample.pred.query_scores = torch.tensor(scores)
    return sample


SIZE_EMPTY = np.zeros(SIZE, bool)


@pytest.mark.parametrize('name', ['a2d', 'jhmdb'])
def test_a2d(source, name):
    target = label_map(2) == 1
    sample = ranked_sample(
        [[target, blob(0, 50)], [blob(0, 50), target]],
        [[0.9, 0.3], [0.6, 0.5]], source, valid_index=2,
        type_ids=['x', 'y'])
    cfg = dict(type=dict(a2d='A2DMetric', jhmdb='JHMDBMetric')[name])
    result = evaluate(cfg, [sample])
    assert result[f'{name}/P@0.9'] == 50
    assert result[f'{name}/mIoU'] == pytest.approx(50, abs=1e-4)
    assert result[f'{name}/oIoU'] == pytest.approx(100 / 3)
    assert result[f'{name}/mAP/x'] == pytest.approx(100)
    assert result[f'{name}/mAP/y'] == pytest.approx(50)
    # right, wrong, right: precision 1 up to recall 0.5, then 2/3
    assert result[f'{name}/mAP'] == pytest.approx(
        100 * (51 + 50 * 2 / 3) / 101)
    assert result[f'{name}/AP_l'] == -1
    sample.pred.query_scores[0, 1] = float('nan')
    with pytest.raises(ValueError, match='expression 0.*finite'):
        evaluate(cfg, [sample])


def test_refcoco(source):
    target = label_map(0) == 1  # 12 x 15 from (x, y) = (3, 4)
    half = target & (np.arange(SIZE[1]) < 3 + 7)
    sample = make_sample([[target], [half]], [['1'], ['1']], source)
    result = evaluate(dict(type='RefCOCOMetric'), [sample])
    assert result['refcoco/P@0.5'] == result['refcoco/box_P@0.5'] == 50
    assert result['refcoco/oIoU'] == pytest.approx(100 * (1 + 7 / 15) / 2)
    assert result['refcoco/box_mIoU'] == pytest.approx(100 * (1 + 7 / 15) / 2)
    box = [3., 4., 18., 16.]
    wrong = [0., 0., 2., 2.]
    sample.pred.query_boxes = torch.tensor([[box, wrong], [wrong, box]])
    sample.pred.queries = torch.tensor([[0], [1]])
    assert evaluate(dict(type='RefCOCOMetric'),
                    [sample])['refcoco/box_P@0.9'] == 100
    sample.set_metainfo(dict(gt_boxes=np.array([box, [30., 0., 40., 9.]])))
    assert evaluate(dict(type='RefCOCOMetric'),
                    [sample])['refcoco/box_oIoU'] == pytest.approx(
                        100 * 180 / (180 + 180 + 90))


def test_refcoco_takes_the_box_that_the_model_gives():
    model = tiny_model(
        test_cfg__postprocessor=dict(type='RankQueries'))
    with torch.no_grad():
        sample = model.test_step(make_batch(num_frames=1))[0]
    height, width = sample.ori_shape
    box = sample.pred.query_boxes[0, sample.pred.queries[0, 0]]
    sample.set_metainfo(
        dict(
            obj_ids=[['1']], exp_ids=['0'], type_ids=[None], lengths=[None],
            gt_boxes=[box.tolist()],
            mask_source=RLEMasks({'1': [None]}, (height, width))))
    assert evaluate(dict(type='RefCOCOMetric'),
                    [sample])['refcoco/box_mIoU'] == pytest.approx(100)
