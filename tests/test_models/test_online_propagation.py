"""Propagation while a video is read."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from mmengine.structures import InstanceData

from mmrvos.models.frame_store import FrameStore
from mmrvos.models.propagators import SAM2Propagator, STCNPropagator
from mmrvos.models.propagators.online import OnlinePropagation
from mmrvos.models.segmentors.window_streaming import (
    merge_windows,
    split_frames,
)

from .test_propagators import (  # noqa: F401
    SAMPLE,
    TINY_SAM2,
    Shifting,
    columns,
    network,
    prediction,
    sam2,
)


def predicted(areas, scores) -> InstanceData:
    pred = prediction(areas, scores)
    pred.scores = pred.frame_scores.mean(1)
    pred.queries = torch.zeros(len(areas), 1).long()
    return pred


def bytes_of(num_frames: int) -> FrameStore:
    """Noise of the network's size, (18, 26)."""
    torch.manual_seed(3)
    mean, std = torch.full((3, 1, 1), 128.), torch.full((3, 1, 1), 64.)
    frames = FrameStore(mean, std, (18, 26))
    frames.append((torch.randint(0, 256, (num_frames, 3, 18, 26)) - mean)
                  / std)
    return frames


def online(propagator, pred, window: int) -> tuple[list, InstanceData]:
    """Feed the windows of a prediction.

    Returns:
        For each window the number of frames that are returned after it, and
        the merged prediction.
    """
    run = OnlinePropagation(
        propagator, bytes_of(len(pred.masks[0])), SAMPLE)
    counts, parts = [], []
    for part in split_frames(pred, window):
        parts += run.add(part)
        counts.append(sum(len(p.masks[0]) for p in parts))
    parts += run.finish()
    return counts, merge_windows(parts)


SCORES = [[.1, .2, .3, .9, .4, .8], [.1, .2, .3, .4, .9, .8]]
# the second object is seen in the second window, the third never
AREAS = [[0, 3, 5, 1, 0, 0], [0, 0, 0, 9, 9, 0], [0] * 6]


def test_first_begins_with_the_first_mask():
    """Windows wait until every expression has a mask."""
    counts, pred = online(
        Shifting(key_frame='first'), predicted(AREAS[:2], SCORES), 2)
    assert counts == [0, 4, 6]
    whole = Shifting(key_frame='first')(
        bytes_of(6), predicted(AREAS[:2], SCORES), SAMPLE)
    assert columns(pred) == columns(whole) == [[4, 3, 4, 5, 6, 7],
                                               [12, 11, 10, 9, 10, 11]]


def test_first_waits_for_an_object_that_never_comes():
    counts, pred = online(
        Shifting(key_frame='first'),
        predicted(AREAS, [*SCORES, [.5] * 6]), 2)
    assert counts == [0, 0, 0]
    assert columns(pred)[2] == [0] * 6
    assert columns(pred)[0] == [4, 3, 4, 5, 6, 7]


def test_first_window_answers_every_window():
    """The key frame is the best one of the first window with a mask; before
    this window nothing changes."""
    counts, pred = online(
        Shifting(key_frame='first_window'),
        predicted(AREAS, [*SCORES, [.5] * 6]), 2)
    assert counts == [2, 4, 6]
    assert columns(pred) == [[4, 3, 4, 5, 6, 7], [0, 0, 10, 9, 10, 11],
                             [0] * 6]
    counts, pred = online(
        Shifting(key_frame='first_window'),
        predicted(AREAS, [*SCORES, [.5] * 6]), 4)
    assert counts == [4, 6]
    # frame 3 has the highest score of the first window
    assert columns(pred)[0] == [4, 3, 2, 1, 2, 3]


def test_competing_expressions_of_a_window_share_a_key_frame():
    propagator = Shifting(key_frame='first_window', compete=True)
    # frames 2 and 3 have two masks; the third comes too late
    areas = [[0, 3, 5, 5, 0, 0], [0, 0, 9, 9, 0, 0], [0, 0, 0, 0, 30, 30]]
    scores = [[.5] * 6, [.1, .1, .1, .2, .1, .1], [.5] * 6]
    counts, pred = online(propagator, predicted(areas, scores), 4)
    assert counts == [4, 6]
    assert columns(pred) == [[8, 7, 6, 5, 6, 7], [12, 11, 10, 9, 10, 11],
                             [0, 0, 0, 0, 20, 19]]


@pytest.mark.parametrize(('key_frame', 'compete', 'early'), [
    ('first', False, True), ('first', True, False),
    ('first_window', False, True), ('first_window', True, True),
    ('most_confident', False, False), ('middle', False, False)])
def test_rules_that_start_early(key_frame, compete, early):
    propagator = Shifting(key_frame=key_frame, compete=compete)
    assert propagator.starts_early == early


def long_prediction(num_frames: int) -> InstanceData:
    """Two expressions, seen in the frames 2 and 5 first."""
    areas = np.zeros((2, num_frames), int)
    areas[0, 2:], areas[1, 5:9] = 20, 30
    return predicted(areas.tolist(), np.ones(areas.shape).tolist())


@pytest.mark.parametrize('window', [1, 4])
@torch.no_grad()
def test_sam2_has_the_masks_of_the_whole_video(window, sam2):  # noqa: F811
    """The video is at least as long as the memory."""
    propagator = SAM2Propagator(
        weights=None, config=TINY_SAM2, key_frame='first')
    propagator.network = sam2.network
    whole = propagator(bytes_of(17), long_prediction(17), SAMPLE).masks
    counts, parts = online(propagator, long_prediction(17), window)
    assert parts.masks == whole
    assert counts == [0] * (5 // window) + [
        min(t, 17) for t in range(5 // window * window + window, 17 + window,
                                  window)]
    assert len(np.unique(mask_utils.area(whole[0]))) > 3


@torch.no_grad()
def test_stcn_has_the_masks_of_the_whole_video(network):  # noqa: F811
    """Competing objects, with their key frame in the first window."""
    propagator = STCNPropagator(
        weights=None, mem_every=2, key_frame='first_window', compete=True)
    propagator.network = network
    areas, scores = [[20] * 6, [0, 30, 30, 30, 30, 30]], [
        [.1, .2, .1, .1, .1, .1]] * 2
    whole = propagator(bytes_of(6), predicted(areas, scores), SAMPLE).masks
    counts, parts = online(propagator, predicted(areas, scores), 3)
    assert parts.masks == whole
    assert counts == [3, 6]
    assert len(np.unique(mask_utils.area(whole[0]))) > 2


@torch.no_grad()
def test_frames_and_outputs_do_not_pile_up(sam2):  # noqa: F811
    """40 frames: the store has those of one window, the session those of
    the memory."""
    propagator = SAM2Propagator(
        weights=None, config=TINY_SAM2, key_frame='first_window')
    propagator.network = sam2.network
    frames = bytes_of(0)
    run = OnlinePropagation(propagator, frames, SAMPLE)
    kept = []
    for _ in range(10):
        frames.append(torch.rand(4, 3, 18, 26))
        assert len(run.add(predicted([[9] * 4], [[.5] * 4]))) == 1
        session, = run.forward.sessions
        outputs = session.output_dict_per_obj[0]
        kept.append((len(frames.places), len(run.waiting),
                     len(outputs['cond_frame_outputs']),
                     len(outputs['non_cond_frame_outputs'])))
    assert set(kept[4:]) == {(0, 0, 1, 16)}
