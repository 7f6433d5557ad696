import random

import pytest

from mmrvos.datasets.transforms import (
    SampleAllFrames,
    SampleCentredFrames,
    SampleConsecutiveFrames,
    SampleLocalGlobalFrames,
    SampleNearbyFrames,
    SampleSpreadFrames,
)


def entry(num_frames: int, key_frame: int = 0) -> dict:
    return dict(
        video_id='v',
        frame_names=[str(i) for i in range(num_frames)],
        key_frame=key_frame)


@pytest.mark.parametrize('total', [1, 2, 3, 7, 40])
@pytest.mark.parametrize('num', [1, 3, 5, 8, 12])
def test_local_global(total, num):
    for seed in range(20):
        random.seed(seed)
        key = seed % total
        out = SampleLocalGlobalFrames(num, locate_key=True)(entry(total, key))
        inds = out['frame_inds'].tolist()
        assert len(inds) == num and inds == sorted(inds)
        assert inds[0] >= 0 and inds[-1] < total
        assert inds[out['valid_index']] == key
        assert key not in inds[:out['valid_index']]


@pytest.mark.parametrize('total', [1, 2, 5, 40])
@pytest.mark.parametrize('num', [1, 3, 8])
def test_nearby(total, num):
    for seed in range(20):
        random.seed(seed)
        key = seed % total
        inds = SampleNearbyFrames(num)(entry(total, key))['frame_inds']
        assert len(inds) == num and (inds[1:] >= inds[:-1]).all()
        assert inds.min() >= max(0, key - 2 * num)
        assert inds.max() < min(total, key + 2 * num)
        if total >= 2 * num:
            assert len({*inds}) == num


def test_centred_window_is_clamped():
    out = SampleCentredFrames(6)(entry(9, 1))
    assert out['frame_inds'].tolist() == [0, 0, 0, 1, 2, 3]
    assert out['valid_index'] == 3
    out = SampleCentredFrames(5)(entry(9, 0))
    assert out['frame_inds'].tolist() == [0, 0, 0, 1, 2]
    assert out['valid_index'] == 0
    assert SampleCentredFrames(5, middle=True)(entry(9, 0))['valid_index'] == 2


@pytest.mark.parametrize('total, start, expected', [
    (20, 8, [8, 9, 10, 11]),
    (10, 8, [6, 7, 8, 9]),
    (2, 0, [0, 1, 1, 1]),
])
def test_consecutive(total, start, expected):
    out = SampleConsecutiveFrames(4)(entry(total, start))
    assert out['frame_inds'].tolist() == expected


def test_spread_takes_one_of_each_part():
    seen = set()
    for _ in range(50):
        inds = SampleSpreadFrames(4)(entry(16))['frame_inds'].tolist()
        assert [i // 4 for i in inds] == [0, 1, 2, 3]
        seen |= set(inds)
    assert seen == set(range(16))
    inds = SampleSpreadFrames(5)(entry(2))['frame_inds'].tolist()
    assert inds == sorted(inds) and len(inds) == 5 and set(inds) == {0, 1}


def test_no_frames():
    for sampler in (SampleAllFrames(), SampleLocalGlobalFrames(5)):
        with pytest.raises(ValueError, match='video v has no frames'):
            sampler(entry(0))
