"""Run-length encodings are checked before pycocotools sees them."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest

from mmrvos.utils import checked_rle, mask_areas


def random_mask(seed, size=(37, 53)):
    generator = np.random.default_rng(seed)
    mask = generator.random(size) < generator.choice([0, 0.02, 0.5, 1])
    return np.asfortranarray(mask, dtype=np.uint8)


@pytest.mark.parametrize('seed', range(12))
def test_every_legal_form(seed):
    mask = random_mask(seed)
    rle = mask_utils.encode(mask)
    flat = mask.ravel(order='F')
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends, flat.size]).tolist()
    plain = ([0] if flat[0] else []) + runs
    for counts in (rle['counts'], rle['counts'].decode(), plain):
        checked = checked_rle(dict(size=[37, 53], counts=counts))
        np.testing.assert_array_equal(mask_utils.decode(checked), mask)


def test_a_mask_of_two_million_pixels():
    mask = np.asfortranarray(np.eye(1080, 1920, dtype=np.uint8))
    rle = mask_utils.encode(mask)
    assert checked_rle(rle) is rle


@pytest.mark.parametrize('counts, words', [
    ('', 'sum to 0'),
    (b'', 'sum to 0'),
    ([3, 5], 'sum to 8'),
    ([-3, 1964], 'smallest run -3'),
    ([0.5, 3], 'more than integers'),
    ([True, 1960], 'more than integers'),
    ('d1 ', "'0' to 'o'"),
    ('\xe9', "'0' to 'o'"),
    ('oo', 'cut off'),
    ('oooooooo0', 'more than 32 bits'),
    (7, 'counts are a int'),
])
def test_damaged_counts(counts, words):
    with pytest.raises(ValueError, match=words):
        checked_rle(dict(size=[37, 53], counts=counts))


@pytest.mark.parametrize('change', [
    lambda text: text[:-2], lambda text: text * 2, lambda text: text[1:]])
def test_text_that_was_cut_or_doubled(change):
    text = mask_utils.encode(random_mask(2))['counts'].decode()
    with pytest.raises(ValueError, match='an RLE'):
        checked_rle(dict(size=[37, 53], counts=change(text)))


@pytest.mark.parametrize('rle', [
    None, [1, 2], dict(size=[3, 4]), dict(size=[3, -4], counts=[12]),
    dict(size='ab', counts=[12]), dict(size=[3.0, 4.0], counts=[12])])
def test_what_is_no_rle(rle):
    with pytest.raises(ValueError, match='RLE'):
        checked_rle(rle)


@pytest.mark.parametrize('number', [0, 1, 255, 256, 600])
def test_areas_of_any_number_of_masks(number):
    masks = np.zeros((20, 40, number), np.uint8, order='F')
    for n in range(number):
        masks[:, :, n].flat[:n] = 1
    areas = mask_areas(mask_utils.encode(masks))
    assert areas.dtype == np.int64
    assert areas.tolist() == list(range(number))
