import importlib
import json

import numpy as np
import pycocotools.mask as mask_utils
import pytest

from mmrvos.evaluation import MovingShapesMetric
from mmrvos.evaluation.moving_shapes_ceilings import (
    ORACLES,
    ceilings,
    table,
    through_stride4,
)
from mmrvos.moving_shapes import generate
from mmrvos.structures import PNGMasks


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp('shapes') / 'mini'
    generate('mini', path, workers=1, progress=False)
    return path


@pytest.fixture(scope='module')
def reached(root):
    return ceilings(str(root), 'train')


def rle(mask):
    return mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))


def samples(root, predict):
    """Data samples of the validation videos.

    Args:
        predict: from (masks, object id, frame) to a mask.
    """
    videos = json.loads((root / 'meta_expressions/valid'
                         / 'meta_expressions.json').read_text())['videos']
    for name, video in videos.items():
        masks = PNGMasks(root / 'valid/Annotations' / name, video['frames'])
        said = video['expressions']
        yield dict(
            video_id=name,
            frame_names=video['frames'],
            exp_ids=list(said),
            obj_ids=[[e['obj_id']] for e in said.values()],
            type_ids=[e['type_id'] for e in said.values()],
            lengths=[e['length'] for e in said.values()],
            mask_source=masks,
            pred=dict(masks=[[
                rle(predict(masks, e['obj_id'], t))
                for t in range(len(video['frames']))
            ] for e in said.values()]))


def evaluate(root, predict, **kwargs):
    metric = MovingShapesMetric(**kwargs)
    data = list(samples(root, predict))
    metric.process(None, data)
    assert len(metric.results) == len(data)  # one record a video
    return metric.evaluate(len(data))


def test_the_oracle_reaches_everything(reached):
    for split in reached['oracle'].values():
        assert split == {'J&F': 100, 'J': 100, 'F': 100, 'hit': 100}


def test_one_frame_and_shuffled_frames_leave_motion_open(reached):
    for split in ('motion-extent', 'motion-order'):
        assert reached['static'][split]['hit'] == pytest.approx(50)
        assert reached['static'][split]['J'] < 62
    assert reached['set']['motion-order']['hit'] == pytest.approx(50)
    assert reached['set']['motion-extent']['hit'] == pytest.approx(100)
    for split in ('appearance', 'position'):
        assert reached['static'][split]['hit'] == pytest.approx(100)


def test_blind_guesses_are_near_chance(reached):
    assert 15 < reached['random']['total']['hit'] < 34
    for split in ('appearance', 'motion-extent', 'motion-order', 'relation'):
        gap = (reached['position'][split]['hit']
               - reached['random'][split]['hit'])
        assert abs(gap) < 12, split


def test_stride_4_costs_less_by_averages(reached):
    point, mean = (reached[f'stride4_{k}']['total'] for k in ('point', 'mean'))
    assert 60 < point['J&F'] < mean['J&F'] < 99
    assert point['hit'] == mean['hit'] == 100


@pytest.mark.parametrize('shape', [(8, 12), (9, 11), (64, 426)])
def test_stride_4_keeps_the_frame_size(shape):
    mask = np.zeros(shape, bool)
    mask[:, :8] = True
    for average in (False, True):
        assert through_stride4(mask, average).shape == shape
    assert (through_stride4(mask, True)[:5] == mask[:5]).all()


def test_ground_truth_scores_100_everywhere(root):
    result = evaluate(root, lambda masks, i, t: masks.read([i], t),
                      data_root=str(root))
    for key in ('J&F', 'J', 'F', 'hit'):
        assert result[f'shapes/{key}'] == 100
        assert result[f'shapes/{key}/static3'] == 100
        assert result[f'shapes/{key}/motion-order'] == 100
        assert result[f'shapes/{key}/long'] == 100


def test_ceilings_are_printed_beside(root, monkeypatch):
    printed = []
    module = importlib.import_module(MovingShapesMetric.__module__)
    monkeypatch.setattr(
        module, 'print_log', lambda text, **kwargs: printed.append(text))
    evaluate(root, lambda masks, i, t: masks.read([i], t),
             data_root=str(root))
    text, = printed
    assert text.splitlines()[1].split()[4:] == ['this', 'model', *ORACLES]


def test_the_wrong_object_is_no_hit(root):
    def neighbour(masks, i, t):
        labels = masks.label_map(t)
        return (labels != int(i)) & (labels > 0)

    result = evaluate(root, neighbour)
    assert result['shapes/hit'] == 0
    assert result['shapes/J'] < 10


def test_everything_hits_only_where_the_target_is_largest(root):
    result = evaluate(root, lambda masks, i, t: masks.label_map(t) >= 0)
    largest = ceilings(str(root))['largest']
    assert result['shapes/hit'] == pytest.approx(largest['total']['hit'])


def test_nothing_is_no_hit(root):
    result = evaluate(root, lambda masks, i, t: masks.label_map(t) > 255)
    assert result['shapes/hit'] == 0


def test_a_missing_tree_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match='moving_shapes.py makes it'):
        ceilings(str(tmp_path))


def test_a_wrong_folder_is_found_before_the_first_iteration(tmp_path, root):
    metric = MovingShapesMetric(data_root=str(root))
    metric.dataset_meta = dict(classes=('a', ))
    assert metric.dataset_meta == dict(classes=('a', ))
    metric = MovingShapesMetric(data_root=str(tmp_path))
    with pytest.raises(FileNotFoundError, match='scenes.json is missing'):
        metric.dataset_meta = {}


def test_the_table_has_a_line_a_split(reached):
    lines = table(reached).splitlines()
    assert len(lines) == 1 + 1 + 1 + 6 + 2
    assert lines[1].split()[0] == 'total'
