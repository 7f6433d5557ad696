"""Testing a model and scoring its files give the same numbers.

One test for every dataset class, with the pipelines and metrics of the base
configs, and the behaviour on ReVOS in particular.
"""
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmrvos.registry import DATASETS, METRICS

from ..test_datasets import miniature
from .conftest import encode, load_tool, save

REPO = Path(__file__).parents[2]
MAPS = miniature.label_maps()
tool = load_tool('eval_masks')


@pytest.fixture(autouse=True)
def mmrvos_scope():
    init_default_scope('mmrvos')


@pytest.fixture
def score_files(tmp_path, monkeypatch, capsys):
    """(arguments of eval_masks.py) to the summary."""

    def call(pred: Path, *options, status: int = 0) -> dict[str, float]:
        out = tmp_path / 'out.json'
        monkeypatch.setattr(sys, 'argv', [
            'eval_masks.py', *map(str, (pred, *options, '--json', out))])
        assert tool.main() == status, capsys.readouterr().err
        return json.loads(out.read_text())['summary']

    return call


def convert(name: str, *args) -> None:
    runpy.run_path(
        str(REPO / f'tools/dataset_converters/{name}.py'))['convert'](*args)


def ytvos(root):
    miniature.ref_youtube_vos(root, split='valid')


def davis17(root):
    miniature.davis(root)
    convert('ref_davis17', root, root, ['valid'], False)


def mevis(root):
    miniature.mevis(root, 'valid_u')


def refcoco(root):
    miniature.refcoco(root)
    convert('refcoco', root, ['refcoco'])


def a2d(root):
    miniature.a2d(root)
    convert('a2d_sentences', root, root)


#: name in eval_masks.py: (base config, loader, how the data set is made)
DATASETS_OF = {
    'ytvos': ('ref_youtube_vos', 'val', ytvos),
    'davis17': ('ref_davis17', 'val', davis17),
    'mevis': ('mevis', 'val', mevis),
    'revos': ('revos', 'val', miniature.revos),
    'ref_sav': ('ref_sav', 'test', miniature.ref_sav),
    'interrvos': ('interrvos', 'test', miniature.interrvos),
    'long_rvos': ('long_rvos', 'val', miniature.long_rvos),
    'yourvos': ('yourvos', 'test', miniature.yourvos),
    'refcoco': ('refcoco', 'val', refcoco),
    'a2d': ('a2d_sentences', 'val', a2d),
    'jhmdb': ('jhmdb_sentences', 'test', miniature.jhmdb),
}


def distorted(mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A prediction: the mask, moved, lost, or with false pixels."""
    mask = np.roll(mask, generator.integers(-4, 5, 2), (0, 1))
    mask[:5, :7] |= generator.random() < 0.3
    return mask & (generator.random() < 0.9)


def predict(sample, root: Path, generator: np.random.Generator) -> None:
    """Put predictions into a sample, and the same into files."""
    source, frames = sample.mask_source, sample.frame_names
    annotated = range(len(frames))
    if 'valid_index' in sample:
        annotated = [sample.valid_index] * len(frames)
    masks = [[distorted(source.read(ids, t), generator) for t in annotated]
             for ids in sample.obj_ids]
    if 'annotator' in sample:  # Ref-DAVIS17: one label map
        taken = np.zeros_like(masks[0])
        for video in masks:
            video[:] = [m & ~t for m, t in zip(video, taken, strict=True)]
            taken = taken | video
        for t, frame in enumerate(frames):
            labels = sum(int(ids[0]) * video[t] for ids, video in zip(
                sample.obj_ids, masks, strict=True))
            save(root / f'anno_{sample.annotator}/{sample.video_id}/'
                 f'{frame}.png', labels)
    elif 'valid_index' in sample or len(frames) == 1:  # single frames
        t = sample.get('valid_index', 0)
        for exp_id, video in zip(sample.exp_ids, masks, strict=True):
            save(root / f'{exp_id}.png', 255 * video[t])
    else:
        for exp_id, video in zip(sample.exp_ids, masks, strict=True):
            for frame, mask in zip(frames, video, strict=True):
                save(root / f'{sample.video_id}/{exp_id}/{frame}.png',
                     255 * mask)
    rles = [[encode(mask) for mask in video] for video in masks]
    sample.pred = InstanceData(masks=rles)
    if 'valid_index' in sample:
        sample.pred.query_masks = [[r[sample.valid_index]] for r in rles]
        sample.pred.query_scores = np.ones((len(rles), 1))


@pytest.mark.parametrize('name', DATASETS_OF)
def test_every_dataset(name, tmp_path, score_files):
    config, loader, make = DATASETS_OF[name]
    gt, pred = tmp_path / 'gt', tmp_path / 'pred'
    make(gt)
    cfg = Config.fromfile(REPO / f'configs/_base_/datasets/{config}.py')
    dataset = cfg[f'{loader}_dataloader'].dataset
    dataset.data_root = str(gt)
    if name == 'refcoco':
        dataset.ann_file = 'refcoco/instances_refcoco_train.json'
    dataset = DATASETS.build(dataset)
    metric = METRICS.build(cfg[f'{loader}_evaluator'])
    generator = np.random.default_rng(0)
    for index in range(len(dataset)):
        sample = dataset[index]['data_samples']
        predict(sample, pred, generator)
        metric.process(None, [sample.to_dict()])
    online = metric.compute_metrics(metric.results)
    options = ['--gt', gt, '--dataset', name]
    if name == 'refcoco':
        options += ['--split', 'train']
    offline = score_files(pred, *options)
    assert online.keys() == offline.keys()
    for key, value in online.items():
        assert offline[key] == pytest.approx(value, abs=1e-9), key
    assert any(0 < value < 100 for value in online.values())


def test_a_config_names_the_dataset(tmp_path, score_files):
    """--config takes the test dataset and the metric from a config file."""
    root = tmp_path / 'gt'
    miniature.long_rvos(root)
    base = REPO / 'configs/_base_/datasets/long_rvos.py'
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{base}'\n"
        f"test_dataloader = dict(dataset=dict(data_root='{root}'))\n"
        "test_evaluator = dict(split_by=[])\n")
    for exp_id, label in (('0', 1), ('1', 2)):
        for t, labels in enumerate(MAPS):
            save(tmp_path / f'pred/l1/{exp_id}/{t:05d}.png', labels == label)
    assert score_files(tmp_path / 'pred', '--config', config) == {
        'J&F': 100, 'J': 100, 'F': 100, 'tIoU': 100, 'vIoU': 100}


# ---------------------------------------------------------------------- ReVOS


def make_revos(root: Path, hallucination: dict, video: str = 'plain') -> None:
    """One referring, one reasoning and one hallucinated expression; the last
    has the given objects. The predictions are perfect."""
    names = [f'{t:05d}' for t in range(4)]
    expressions = {
        '0': dict(exp='the bar', anno_id=[5], type_id=0),
        '1': dict(exp='what is tall?', anno_id=[5], type_id=1),
        '2': dict(exp='the elephant', type_id=2, **hallucination),
    }
    for t, name in enumerate(names):
        for exp_id in expressions:
            mask = (MAPS[t] == 1) & (exp_id != '2')
            save(root / f'pred/{video}/{exp_id}/{name}.png', 255 * mask)
    root.mkdir(exist_ok=True)
    (root / 'mask_dict.json').write_text(json.dumps(
        {'5': [encode(MAPS[t] == 1) for t in range(4)]}))
    (root / 'meta_expressions_valid_.json').write_text(json.dumps(dict(
        videos={video: dict(frames=names, expressions=expressions)})))


def revos_online(root: Path, **options) -> dict[str, float]:
    dataset = DATASETS.build(dict(
        type='ReVOSDataset', data_root=str(root),
        ann_file='meta_expressions_valid_.json', mask_file='mask_dict.json',
        test_mode=True, serialize_data=False))
    metric = METRICS.build(dict(type='ReVOSMetric', **options))
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        metric.process(None, [dict(
            video_id=info['video_id'], frame_names=info['frame_names'],
            exp_ids=[e['exp_id'] for e in info['expressions']],
            type_ids=[e['type_id'] for e in info['expressions']],
            lengths=[e['length'] for e in info['expressions']],
            obj_ids=[e['obj_ids'] for e in info['expressions']],
            mask_source=info['mask_source'],
            pred=dict(masks=[[
                encode((MAPS[t] == 1) & (e['type_id'] != 'hallucination'))
                for t in range(4)] for e in info['expressions']]))])
    return metric.compute_metrics(metric.results)


@pytest.mark.parametrize('anno_id', [[], [5], 5])
@pytest.mark.parametrize('video', ['plain', 'source/nested', 'a/b.c/d_1'])
def test_perfect_masks_of_revos(tmp_path, score_files, anno_id, video):
    """A hallucination has no target, whatever objects it lists; video ids
    contain slashes."""
    make_revos(tmp_path, dict(anno_id=anno_id), video)
    online = revos_online(tmp_path)
    offline = score_files(
        tmp_path / 'pred', '--gt', tmp_path, '--dataset', 'revos')
    assert online == pytest.approx(offline)
    assert set(online.values()) == {100}
    for row in ('referring', 'reason', 'hallucination'):
        assert {f'{key}/{row}' for key in ('J&F', 'J', 'F', 'A', 'R')
                } <= online.keys()


def test_foreground_file_of_revos(tmp_path):
    """The published form, and the form without the dict around the masks."""
    make_revos(tmp_path, dict(anno_id=[5]))
    derived = revos_online(tmp_path)
    masks = [encode(MAPS[t] == 1) for t in range(4)]
    path = tmp_path / 'foreground.json'
    for content in (dict(masks_rle=masks, foreground_ratio=[0.1] * 4), masks,
                    dict(masks_rle=[[m] for m in masks])):
        path.write_text(json.dumps(dict(plain=content)))
        assert revos_online(tmp_path, foreground_file=str(path)) == derived
    # null is no foreground: the marked pixels are still the target's
    path.write_text(json.dumps(dict(plain=dict(masks_rle=[None] * 4))))
    assert revos_online(tmp_path, foreground_file=str(path))['R'] == 100
    for content, words in ((dict(other=masks), "know video 'plain'"),
                           (dict(plain=masks[:3]), '3 masks for video'),
                           (dict(plain=dict(a=1)), 'cannot be read'),
                           ([], 'is a list')):
        path.write_text(json.dumps(content))
        with pytest.raises(ValueError, match=f'foreground.json.*{words}'):
            revos_online(tmp_path, foreground_file=str(path))


def test_false_pixels_in_each_protocol(tmp_path, score_files):
    """10 false pixels in 4 frames: (10 / foreground) of 1 or 255 each."""
    make_revos(tmp_path, dict(anno_id=[]))
    for t in range(4):
        mask = MAPS[t] == 1
        mask[40, :10] = True
        save(tmp_path / f'pred/plain/0/{t:05d}.png', 255 * mask)
    area, pixels = int((MAPS[0] == 1).sum()), MAPS[0].size
    options = ['--gt', tmp_path, '--dataset', 'revos', '--protocol']
    for protocol, accuracy, weight in (('union', 1 - 10 / pixels, 1),
                                       ('sa2va', 1 - 10 / pixels, 1),
                                       ('visa', 1 - (area + 10) / pixels,
                                        255)):
        summary = score_files(tmp_path / 'pred', *options, protocol)
        tolerance = 1e-4 if protocol == 'union' else 0.006
        assert summary['A/referring'] == pytest.approx(
            100 * accuracy, abs=tolerance)
        assert summary['R/referring'] == pytest.approx(
            max(100 * (1 - 10 * weight / area), 0), abs=tolerance)


def test_rle_json(tmp_path, score_files):
    """Predictions as one JSON, with and without text, for any data set."""
    make_revos(tmp_path, dict(anno_id=[]))
    rles = [encode(MAPS[t] == 1) for t in range(4)]
    nothing = [encode(MAPS[t] > 9) for t in range(4)]
    pred = tmp_path / 'pred.json'

    def score(third, status=0):
        pred.write_text(json.dumps(dict(plain={
            '0': dict(prediction_masks=rles),
            '1': dict(prediction_masks=[*rles, rles[0]]), **third})))
        return score_files(pred, '--gt', tmp_path, '--dataset', 'revos',
                           status=status)

    good = {'2': dict(prediction_masks=nothing)}
    assert set(score(good).values()) == {100}
    problems = {
        'the expression is missing': {},
        'frame 3: missing': {'2': dict(prediction_masks=nothing[:3])},
        'runs sum to': {'2': dict(prediction_masks=[
            *nothing[:3], dict(nothing[0], counts='1')])},
        'size (9, 9), the ground truth has (48, 64)': {
            '2': dict(prediction_masks=[
                *nothing[:3], dict(size=[9, 9], counts=[81])])},
        '7: an expression unknown': dict(good, **{'7': {}}),
    }
    for words, third in problems.items():
        summary = score(third, status=1)
        content = json.loads((tmp_path / 'out.json').read_text())
        assert any(words in line for line in content['problems']), content
        expected = 100 if 'unknown' in words else 0
        assert summary['J/hallucination'] == expected
        assert summary['J'] == 100
    assert mask_utils.area(rles[0]) > 0
