"""Sentences stay true when a clip is mirrored."""
import pytest

from mmrvos.datasets.transforms.flip_words import (
    swap_left_right,
    swap_up_down,
)


@pytest.mark.parametrize('before, after', [
    ('the leftmost bright star, moving right',
     'the rightmost bright star, moving left'),
    ('the bottom-left corner', 'the bottom-right corner'),
    ('the person on the right behind the counter',
     'the person on the left behind the counter'),
    ('it turns right away', 'it turns right away'),
])
def test_left_and_right(before, after):
    assert swap_left_right(before) == after


@pytest.mark.parametrize('before, after', [
    ('moves up, then downwards', 'moves down, then upwards'),
    ('the upper one at the top of the picture',
     'the lower one at the bottom of the picture'),
    ('the sign on top left', 'the sign on bottom left'),
    ('a laptop above the table', 'a laptop below the table'),
])
def test_up_and_down(before, after):
    assert swap_up_down(before) == after
    assert swap_up_down(after) == before


@pytest.mark.parametrize('swap', [swap_left_right, swap_up_down])
@pytest.mark.parametrize('before, after', [
    ('turning clockwise', 'turning anticlockwise'),
    ('turning counterclockwise', 'turning clockwise'),
    ('turning counter-clockwise', 'turning clockwise'),
    ('turning Anti Clockwise', 'turning clockwise'),
])
def test_turns_are_mirrored_both_ways(swap, before, after):
    assert swap(before) == after


@pytest.mark.parametrize('text', [
    'the sign that is upside down', 'an upside-down car',
    'the cat on top of the box', 'a man who sits up', 'the dog lying down',
    'the car that slows down', 'a woman in a tank top',
    'the kite that goes up and down'
])
def test_phrases_without_a_direction_in_the_picture(text):
    assert swap_up_down(text) == text
