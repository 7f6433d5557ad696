import numpy as np
import pytest

from mmrvos.datasets.transforms import (
    CheckValid,
    ClipFlip,
    ClipRandomCrop,
    ClipRandomZoom,
    ClipResize,
)
from mmrvos.datasets.transforms.geometric import resized_shape
from mmrvos.datasets.transforms.loading import masks_to_boxes

from .. import miniature
from .clip import make_clip, shown


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / max(1, (a | b).sum())


@pytest.mark.parametrize('direction, before, after', [
    ('horizontal', 'left of a bright upright star, moving rightwards',
     'right of a bright upright star, moving leftwards'),
    ('vertical', 'at the top, above the upright one',
     'at the bottom, below the upright one'),
])
def test_flip_moves_picture_masks_boxes_and_words(direction, before, after):
    clip = ClipFlip(1, direction)(make_clip(texts=(before, 'x')))
    assert clip['expressions'][0]['text'] == after
    np.testing.assert_array_equal(clip['masks'], shown(clip))
    # the official box lies one pixel further right (below) than the mask
    boxes, valid = masks_to_boxes(clip['masks'])
    shift = np.array([1, 0] if direction == 'horizontal' else [0, 1])
    np.testing.assert_array_equal(
        clip['boxes'][valid],
        boxes[valid] + np.tile(shift, 2).astype(np.float32))
    np.testing.assert_array_equal(clip['valid'], valid)


def test_flip_twice_is_nothing():
    before, flip = make_clip(texts=('on the left', 'y')), ClipFlip(1)
    after = flip(flip(make_clip(texts=('on the left', 'y'))))
    assert after['expressions'] == before['expressions']
    for key in ('frames', 'masks', 'boxes'):
        np.testing.assert_array_equal(after[key], before[key])


def test_flip_keeps_its_probability():
    clip, flips = make_clip(), 0
    for _ in range(400):
        text = ClipFlip(0.25)(dict(clip, expressions=[dict(text='left')]))
        flips += text['expressions'][0]['text'] == 'right'
    assert 60 < flips < 145


def test_flip_options_are_checked():
    with pytest.raises(ValueError, match="'diagonal'"):
        ClipFlip(direction='diagonal')
    with pytest.raises(ValueError, match='substrings'):
        ClipFlip(direction='vertical', substrings=True)


@pytest.mark.parametrize('backend', ['pillow', 'torch'])
def test_resize(backend):
    clip = ClipResize([96], backend=backend)(make_clip())
    assert clip['frames'].shape == (4, 96, 128, 3)
    assert clip['img_shape'] == (96, 128)
    assert clip['ori_shape'] == (miniature.HEIGHT, miniature.WIDTH)
    assert overlap(clip['masks'], shown(clip)) > 0.95
    np.testing.assert_array_equal(clip['boxes'], 2 * make_clip()['boxes'])


@pytest.mark.parametrize('old, new', [
    ((720, 1280), (576, 1024)),
    ((480, 854), (575, 1024)),  # 576 by the other rule
    ((854, 480), (1024, 575)),
    ((600, 600), (1020, 1020)),
    ((300, 301), (1020, 1023)),
])
def test_exact_longest_side(old, new):
    """torchvision's Resize(1020, max_size=1024)."""
    assert resized_shape(*old, 1020, 1024, exact=True) == new


def test_fast_resize_is_nearly_pillow():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 60, 80, 3), dtype=np.uint8)
    for short in (33, 48, 77):
        clips = [
            ClipResize(short, backend=backend)(
                dict(frames=frames))['frames'].astype(int)
            for backend in ('pillow', 'torch')
        ]
        assert np.abs(clips[0] - clips[1]).max() <= 2


def test_crop():
    for _ in range(10):
        out = ClipRandomCrop(100, 200)(make_clip(size=10))
        height, width = out['img_shape']
        assert 100 <= height <= 200 and 100 <= width <= 200
        assert out['frames'].shape[1:3] == (height, width)
        # one region for all frames and masks
        np.testing.assert_array_equal(out['masks'], shown(out))
        assert out['boxes'].min() >= 0
        assert (out['boxes'][..., 2] <= width).all()
        assert (out['boxes'][..., 3] <= height).all()


def test_crop_keeps_small_frames():
    out = ClipRandomCrop(384, 600)(make_clip())
    assert out['img_shape'] == (miniature.HEIGHT, miniature.WIDTH)


def test_check_valid_drops_what_is_gone():
    clip = make_clip()
    clip['boxes'][1] = 0
    out = CheckValid()(dict(clip))
    assert [e['exp_id'] for e in out['expressions']] == ['0']
    assert out['masks'].shape[0] == out['boxes'].shape[0] == 1
    clip['boxes'][0, :, 2] = clip['boxes'][0, :, 0]  # one pixel wide
    assert CheckValid()(clip) is None


def test_zoom_keeps_masks_on_their_objects():
    for _ in range(10):
        clip = ClipRandomZoom((0.6, 1.6), 0.2)(make_clip(size=4))
        assert overlap(clip['masks'], shown(clip)) > 0.9
        boxes, valid = masks_to_boxes(clip['masks'])
        np.testing.assert_array_equal(clip['boxes'], boxes)
        np.testing.assert_array_equal(clip['valid'], valid)
