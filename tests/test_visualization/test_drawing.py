import numpy as np
import pytest

from mmrvos.visualization import contact_sheet, draw_legend, draw_masks
from mmrvos.visualization.drawing import colour_of


def square_mask(*shape: int) -> np.ndarray:
    masks = np.zeros(shape, dtype=bool)
    masks[..., 4:12, 6:14] = True
    return masks


def test_masks_are_tinted_and_nothing_else_is():
    frame = np.full((20, 24, 3), 100, dtype=np.uint8)
    masks = square_mask(1, 20, 24)
    image = draw_masks(frame, masks, alpha=0.5, outline_width=0)
    tint = (100 + np.array(colour_of(0))) / 2
    assert np.abs(image[masks[0]] - tint).max() <= 0.5
    assert (image[~masks[0]] == 100).all()
    assert (frame == 100).all()  # the frame itself is not drawn on


def test_outline_has_the_full_colour():
    frame = np.zeros((20, 24, 3), dtype=np.uint8)
    image = draw_masks(frame, square_mask(1, 20, 24), outline_width=1)
    assert (image[4, 6:14] == colour_of(0)).all()
    assert (image[8, 10] != colour_of(0)).any()


def test_expressions_have_their_own_colours():
    masks = square_mask(2, 20, 24)
    masks[1] = np.roll(masks[1], 9, axis=1)
    masks[1] &= ~masks[0]
    image = draw_masks(
        np.zeros((20, 24, 3), np.uint8), masks, alpha=1, outline_width=0)
    assert (image[masks[0]] == colour_of(0)).all()
    assert (image[masks[1]] == colour_of(1)).all()


def test_no_expression_changes_nothing():
    frame = np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8)
    assert (draw_masks(frame, np.zeros((0, 9, 7), bool)) == frame).all()


def test_other_size_is_refused():
    with pytest.raises(ValueError, match=r'\(20, 24\).*\(10, 24\)'):
        draw_masks(np.zeros((10, 24, 3), np.uint8), square_mask(1, 20, 24))


def test_legend_grows_with_the_text_and_shows_the_colours():
    one = draw_legend(['a dog'], 200)
    two = draw_legend(['a dog', 'the small café on the left'], 200)
    long = draw_legend(['word ' * 40], 200)
    assert one.shape[1] == two.shape[1] == long.shape[1] == 200
    assert one.shape[0] < two.shape[0] < long.shape[0]
    for e in range(2):
        assert (two == colour_of(e)).all(axis=-1).any()


@pytest.mark.parametrize(('count', 'shape'), [(1, (4, 6)), (3, (4, 22)),
                                              (5, (10, 30))])
def test_contact_sheet_fills_rows(count, shape):
    images = [np.full((4, 6, 3), i, np.uint8) for i in range(count)]
    sheet = contact_sheet(images, columns=4, gap=2)
    assert sheet.shape[:2] == shape
    for i in range(count):
        y, x = i // 4 * 6, i % 4 * 8
        assert (sheet[y:y + 4, x:x + 6] == i).all()
    if count == 5:
        assert (sheet[6:, 8:] == 255).all()
