"""Testing in windows; see test_methods.py for checks of every method."""
import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmrvos.models import InferenceCfg
from mmrvos.models.segmentors.window_streaming import cut_windows
from mmrvos.registry import MODELS

from .tiny import CONFIGS, make_batch, several_queries

TEXTS = ('the red square', 'the star', 'the small one that moves right')


def build(method: str, **test_cfg) -> torch.nn.Module:
    """The method's tiny model with random weights, masks that are not empty
    and queries that differ."""
    cfg = several_queries(
        Config.fromfile(CONFIGS / method / 'tiny_shapes.py').model)
    cfg.setdefault('test_cfg', {}).update(test_cfg)
    torch.manual_seed(0)
    return MODELS.build(cfg).eval()


def predict(model, num_frames: int, texts=TEXTS):
    sample, = model.test_step(
        make_batch(num_frames=num_frames, texts=texts))
    return sample.pred


@pytest.mark.parametrize('length', [1, 3, 4, 5, 7, 8, 13])
@pytest.mark.parametrize('window,overlap', [(1, 0), (4, 0), (4, 1), (4, 3),
                                            (5, 2), (None, 0)])
@pytest.mark.parametrize('step', [1, 3, 100])
def test_every_frame_is_kept_once(length, window, overlap, step):
    video = torch.arange(length)
    windows = list(cut_windows(video.split(step), window, overlap))
    answered = torch.cat([frames[part] for frames, part in windows])
    assert answered.tolist() == video.tolist()
    for frames, _ in windows[:-1]:
        assert len(frames) == window
    for (frames, _), (following, _) in pairwise(windows):
        assert following[0] == frames[0] + window - overlap


def test_an_overlap_is_split_in_halves():
    windows = cut_windows([torch.arange(10)], 6, 3)
    assert [(frames.tolist(), frames[part].tolist())
            for frames, part in windows] == [
                ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4]),
                ([3, 4, 5, 6, 7, 8], [5, 6, 7]),
                ([6, 7, 8, 9], [8, 9]),
            ]


@pytest.mark.parametrize('cfg,said', [
    (dict(window=4, overlap=4), 'overlap is 0 to window - 1 = 3, got 4'),
    (dict(window=4, overlap=-1), 'got -1'),
    (dict(overlap=2), 'needs a test_cfg.window'),
    (dict(query='best'), "one of .*'carried'.*got 'best'"),
])
def test_contradicting_values_are_refused(cfg, said):
    with pytest.raises(ValueError, match=said):
        InferenceCfg(**cfg)


def test_a_carried_query_stays():
    for seed in range(20):  # a video in which the choice changes
        model = build('referformer', window=1, query='per_window')
        torch.manual_seed(seed)
        for branch in model.head.class_branches:
            torch.nn.init.normal_(branch.weight)
        free = predict(model, 6)
        if (free.queries != free.queries[:, :1]).any():
            break
    model.test_cfg.query = 'carried'
    carried = predict(model, 6)
    assert (free.queries != free.queries[:, :1]).any()
    assert (carried.queries == free.queries[:, :1]).all()
    changed = (free.queries != carried.queries).nonzero()
    for e, t in changed.tolist():
        assert carried.frame_scores[e, t] < free.frame_scores[e, t]
    for e, t in (free.queries == carried.queries).nonzero().tolist():
        assert carried.masks[e][t] == free.masks[e][t]


def test_merged_objects_keep_their_queries():
    model = build(
        'referformer',
        window=2,
        overlap=1,
        query='carried',
        chunks=dict(pairs=4),
        postprocessor=dict(type='MergeObjects', threshold=0.))
    pred = predict(model, 5)
    assert [len(masks) for masks in pred.masks] == [5, 5, 5]
    assert (pred.queries == pred.queries[:, :1]).all()


def test_a_video_is_predicted_while_it_is_read():
    """The first masks come before the last frames are read."""
    model = build('referformer', window=2, overlap=1)
    batch = make_batch(num_frames=6, texts=TEXTS)
    sample, = batch['data_samples']
    expected = predict(model, 6)
    frames, = model.data_preprocessor(batch, False)['inputs']
    read = []

    def pieces():
        for piece in frames.split(1):
            read.append(1)
            yield piece

    with torch.no_grad():
        windows = model.stream(pieces(), sample)
        first = next(windows)
        assert len(read) == 3
        rest = list(windows)
    assert [len(w.masks[0]) for w in (first, *rest)] == [2, 1, 1, 1, 1]
    masks = [sum((w.masks[e] for w in (first, *rest)), []) for e in range(3)]
    assert masks == expected.masks


def test_frames_in_memory_do_not_depend_on_the_video_length():
    model = build('referformer', window=3, overlap=1)
    sample, = make_batch(num_frames=1)['data_samples']
    alive = []

    def most(num_frames: int) -> int:
        counts = []
        for _ in range(num_frames):
            # tensors that share the memory keep the array alive
            array = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
            alive.append(1)
            counts.append(len(alive))
            weakref.finalize(array, alive.pop)
            yield torch.from_numpy(array)
            del array
        assert max(counts[20:], default=0) <= max(counts[:20])

    with torch.no_grad():
        windows = list(model.stream(most(50), sample))
    assert sum(len(w.masks[0]) for w in windows) == 50
    assert not alive


def test_frames_are_normalised_window_by_window():
    model = build('referformer', window=3)
    sizes = []
    model.data_preprocessor.register_forward_hook(
        lambda _, args, output: sizes.append(len(output['inputs'][0])))
    predict(model, 7)
    assert sizes == [3, 3, 1]
