import cv2
import numpy as np
import pytest

from mmrvos.visualization import (
    STYLES,
    contact_sheet,
    draw_legend,
    draw_masks,
)
from mmrvos.visualization.drawing import (
    DARK,
    colour_of,
    draw_numbers,
    outline,
)


def square_mask(*shape: int) -> np.ndarray:
    masks = np.zeros(shape, dtype=bool)
    masks[..., 4:12, 6:14] = True
    return masks


def grey_frame() -> np.ndarray:
    return np.full((20, 24, 3), 100, dtype=np.uint8)


def test_fill_tints_masks():
    frame, masks = grey_frame(), square_mask(1, 20, 24)
    image = draw_masks(frame, masks, style='fill')
    fill = STYLES['fill'].fill
    tint = (1 - fill) * 100 + fill * np.array(colour_of(0))
    assert np.abs(image[masks[0]] - tint).max() <= 0.5
    edge = cv2.dilate(outline(masks[0], 2).astype(np.uint8), np.ones((3, 3)))
    assert (image[~masks[0] & (edge == 0)] == 100).all()
    assert (frame == 100).all()  # the frame itself is not drawn on


def test_outline_keeps_the_colour_of_the_object():
    frame, masks = grey_frame(), square_mask(1, 20, 24)
    image = draw_masks(frame, masks, outline_width=1)
    assert (image[masks[0]] == 100).all()
    assert (image[3, 6:14] == colour_of(0)).all()  # the line runs outside
    assert (image[2, 6:14] == DARK).all()
    assert (image[0] == 70).all()  # darker than the object
    # frames without the object are no brighter, so a video does not flicker
    nothing = draw_masks(frame, np.zeros_like(masks))
    assert (nothing == 70).all()


def test_spotlight_darkens_the_background():
    frame, masks = grey_frame(), square_mask(1, 20, 24)
    image = draw_masks(frame, masks, style='spotlight')
    assert (image[masks[0]] == 100).all()
    assert (image[0] == 35).all()


def test_two_expressions_about_one_object_are_both_visible():
    masks = square_mask(2, 20, 24)
    image = draw_masks(grey_frame(), masks, outline_width=1)
    line = image[outline(masks[0], 1)]
    counts = [(line == colour_of(e)).all(axis=-1).sum() for e in range(2)]
    assert sum(counts) == len(line)
    assert min(counts) > len(line) / 4


def test_numbers_of_one_object_stand_side_by_side():
    image = np.zeros((60, 90, 3), np.uint8)
    masks = np.zeros((3, 60, 90), bool)
    masks[:2, 30:50, 20:40] = True  # the third is empty
    draw_numbers(image, masks)
    columns = [
        np.flatnonzero((image == colour_of(e)).all(axis=-1).any(axis=0))
        for e in range(3)
    ]
    assert columns[0].max() < columns[1].min()
    assert not columns[2].size


def test_numbers_that_would_overlap_stand_side_by_side():
    """The gap does not depend on where the objects are."""
    for shift in (0, 5, 15, 20):
        image = np.zeros((60, 120, 3), np.uint8)
        masks = np.zeros((2, 60, 120), bool)
        masks[0, 30:50, 20:40] = masks[1, 30:50, 20 + shift:40 + shift] = True
        draw_numbers(image, masks)
        first, second = [
            np.flatnonzero((image == colour_of(e)).all(axis=-1).any(axis=0))
            for e in range(2)
        ]
        assert 3 <= second.min() - first.max() <= 8, shift


def test_numbers_belong_to_the_largest_part():
    image = np.zeros((60, 200, 3), np.uint8)
    mask = np.zeros((1, 60, 200), bool)
    mask[0, 40:58, 20:40] = mask[0, 40:44, 150:160] = True
    draw_numbers(image, mask)
    drawn = np.flatnonzero(image.any(axis=(0, 2)))
    assert 20 <= drawn.mean() <= 40


@pytest.mark.parametrize('box', [np.s_[:], np.s_[:4], np.s_[:, -3:]])
def test_masks_at_the_border_have_a_line(box):
    mask = np.zeros((20, 24), bool)
    mask[box] = True
    line = outline(mask, 2)
    assert line[0, mask[0]].all()
    assert (line & mask).any()


def test_unknown_styles_are_refused():
    with pytest.raises(ValueError, match="'neon', expected one of .'outline'"):
        draw_masks(grey_frame(), square_mask(1, 20, 24), style='neon')


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


def test_a_legend_of_fixed_height_is_cut():
    texts = ['a dog'] * 40
    assert draw_legend(texts, 200, height=100).shape == (100, 200, 3)
