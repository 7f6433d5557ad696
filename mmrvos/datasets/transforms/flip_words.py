"""Words that change when a clip is mirrored."""
import re

LEFT_RIGHT = (('left', 'right'), ('leftmost', 'rightmost'),
              ('leftward', 'rightward'), ('leftwards', 'rightwards'),
              ('clockwise', 'anticlockwise'))
UP_DOWN = (('up', 'down'), ('upward', 'downward'), ('upwards', 'downwards'),
           ('top', 'bottom'), ('topmost', 'bottommost'), ('above', 'below'),
           ('upper', 'lower'), ('highest', 'lowest'),
           ('clockwise', 'anticlockwise'))


def _swap(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    table = dict(pairs) | {b: a for a, b in pairs}

    def other(match: re.Match) -> str:
        return table.get(match[0].lower(), match[0])

    return re.sub(r'[A-Za-z]+', other, text)


def swap_left_right(text: str) -> str:
    """Whole words only: "bright" stays.

    >>> swap_left_right('the leftmost bright star, moving right')
    'the rightmost bright star, moving left'
    """
    return _swap(text, LEFT_RIGHT)


def swap_up_down(text: str) -> str:
    """As :func:`swap_left_right`, for a clip turned upside down."""
    return _swap(text, UP_DOWN)
