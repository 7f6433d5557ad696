"""Swap the words of a sentence that change when a clip is mirrored."""
import re

TURNS = {
    'clockwise': 'anticlockwise',
    'anticlockwise': 'clockwise',
    'counterclockwise': 'clockwise'
}
LEFT_RIGHT = (('left', 'right'), ('leftmost', 'rightmost'),
              ('leftward', 'rightward'), ('leftwards', 'rightwards'))
UP_DOWN = (('up', 'down'), ('upward', 'downward'), ('upwards', 'downwards'),
           ('top', 'bottom'), ('topmost', 'bottommost'), ('above', 'below'),
           ('upper', 'lower'), ('uppermost', 'lowermost'),
           ('highest', 'lowest'), ('ascending', 'descending'),
           ('ascends', 'descends'))

# Phrases without a direction in the picture. \w* covers inflected verbs.
KEPT_LEFT_RIGHT = re.compile(
    r'right (?:away|now|angles?)|all right|been left')
KEPT_UP_DOWN = re.compile(
    r'upside[ -]down|right side up|'
    r'on top(?! (?:left|right|row|part|corner|side))|(?:tank|crop|halter) top|'
    r'up and down|(?:close|dress\w*|line\w*|show\w*|end\w*|speed\w*|pick\w*|'
    r'wak\w*|woke|get\w*|got|warm\w*) up|up close|'
    r'(?:sit|sits|sitting|sat|stand|stands|standing|stood) (?:up|down)|'
    r'(?:lie|lies|lying|lay|lays|kneel\w*|knelt|crouch\w*|squat\w*|slow\w*|'
    r'calm\w*|break\w*|broke\w*) down')
WORD = r'\b(?:anti|counter)[ -]?clockwise\b|[A-Za-z]+'


def _swap(text: str, pairs: tuple[tuple[str, str], ...],
          kept: re.Pattern) -> str:
    table = dict(pairs) | {b: a for a, b in pairs} | TURNS

    def other(match: re.Match) -> str:
        if match['kept']:
            return match[0]
        word = re.sub('[ -]', '', match[0].lower())
        return table.get(word, match[0])

    return re.sub(rf'(?P<kept>\b(?:{kept.pattern})\b)|{WORD}', other, text,
                  flags=re.IGNORECASE)


def swap_left_right(text: str) -> str:
    """Make a sentence true of a clip that is mirrored left to right.

    Whole words are swapped: "bright" stays. Phrases such as "right away" do
    not name a side of the picture and stay, too.

    >>> swap_left_right('the leftmost bright star, moving right')
    'the rightmost bright star, moving left'
    >>> swap_left_right('turning counter-clockwise')
    'turning clockwise'
    """
    return _swap(text, LEFT_RIGHT, KEPT_LEFT_RIGHT)


def swap_up_down(text: str) -> str:
    """Make a sentence true of a clip that is mirrored top to bottom.

    Phrases such as "upside down", "on top of" or "sits up" describe the scene
    and not the picture; they stay.

    >>> swap_up_down('the cat on top of the box moves up')
    'the cat on top of the box moves down'
    """
    return _swap(text, UP_DOWN, KEPT_UP_DOWN)
