import numpy as np
import pytest

from mmrvos.datasets.transforms import (
    ClipChannelGain,
    ClipNoise,
    ClipPhotometricDistort,
)
from mmrvos.datasets.transforms.photometric import (
    distort,
    permute,
    to_uint8,
)

from .clip import make_clip


def test_values_saturate():
    values = np.array([-3.7, 0, 254.9, 256.2, 400], dtype=np.float32)
    assert to_uint8(values).tolist() == [0, 0, 254, 255, 255]
    white = np.full((4, 4, 3), 250, dtype=np.uint8)
    assert to_uint8(distort(white, brightness=32)).min() == 255


def test_saturation_keeps_grey_grey():
    grey = np.full((4, 4, 3), 120, dtype=np.uint8)
    np.testing.assert_allclose(
        distort(grey, saturation=1.5, hue=12), 120, atol=1e-3)


@pytest.mark.parametrize('params', [
    dict(),
    dict(brightness=-30.5, contrast=1.3, permutation=3),
    dict(saturation=1.4, brightness=25.25, permutation=4),
    dict(saturation=1.45, brightness=-31.7, contrast=0.7),
    dict(saturation=0.6, contrast=1.4, contrast_first=False, permutation=1),
    dict(saturation=1.2, hue=-12., brightness=-9., permutation=5),
], ids=str)
def test_the_quick_ways_give_what_hsv_gives(params):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (1, 37, 53, 3), dtype=np.uint8)
    frames[:, :20] //= 8  # brightness takes dark pixels below zero
    transform = ClipPhotometricDistort()
    transform.draw = lambda: {'contrast_first': True} | params
    out = transform(dict(frames=frames))['frames'][0]
    # a factor of 1 takes the way through HSV
    plain = dict(params)
    order = plain.pop('permutation', 0)
    values = distort(frames[0], **({'saturation': 1.} | plain))
    expected = permute(to_uint8(values), order)
    assert np.abs(out.astype(int) - expected).max() <= 1


def test_every_frame_or_the_clip_is_drawn():
    still = np.repeat(make_clip(1)['frames'], 6, axis=0)
    np.random.seed(3)  # noqa: NPY002  the transforms use the global state
    each = ClipPhotometricDistort()(dict(frames=still))['frames']
    once = ClipPhotometricDistort(per_clip=True)(dict(frames=still))['frames']
    assert len({frame.tobytes() for frame in each}) > 2
    assert len({frame.tobytes() for frame in once}) == 1
    assert each.dtype == once.dtype == np.uint8


def test_gain_is_one_factor_per_channel():
    transform = ClipChannelGain(0.3)
    transform.draw = lambda: np.array([0.5, 1, 1.5])
    frames = make_clip(2)['frames']
    out = transform(dict(frames=frames))['frames']
    truth = np.minimum(np.floor(frames * [0.5, 1, 1.5] + 0.5), 255)
    np.testing.assert_array_equal(out, truth)


def test_noise_has_the_drawn_strength():
    transform = ClipNoise()
    transform.draw = lambda: 5.0
    frames = np.full((3, 60, 80, 3), 128, dtype=np.uint8)
    out = transform(dict(frames=frames))['frames'].astype(float) - 128
    assert abs(out.mean()) < 0.3 and 4.7 < out.std() < 5.3
    assert np.abs(np.corrcoef(out.reshape(3, -1)) - np.eye(3)).max() < 0.1


def test_strips_make_no_difference(monkeypatch):
    frames = make_clip(2, size=3)['frames']
    outs = []
    for pixels in (1, 1000, 10**6):
        monkeypatch.setattr(
            'mmrvos.datasets.transforms.photometric.CHUNK_PIXELS', pixels)
        np.random.seed(5)  # noqa: NPY002
        outs.append(ClipPhotometricDistort()(dict(frames=frames))['frames'])
        params = dict(brightness=3., hue=-9., permutation=2)
        transform = ClipPhotometricDistort()
        transform.draw = lambda params=params: dict(params)
        outs[-1] = np.concatenate(
            [outs[-1], transform(dict(frames=frames))['frames']])
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[1], outs[2])
