"""Put meanings into words of a small vocabulary with synonyms.

Sentences are lower case without punctuation. 'right', 'left', 'up', 'down' and
the like always are directions (never 'slows down', 'shows up', 'right
behind'), so a flip can swap them.
"""
from collections.abc import Iterable, Sequence

from .meanings import Meaning, Part
from .random_stream import RandomStream
from .scenes import COLOUR_WORDS, SIZES, TEXTURES
from .shapes import SHAPES

NOUNS = {
    'circle': ('circle', 'circle', 'disc'),
    'cross': ('cross', ),
    'ring': ('ring', 'ring', 'hoop'),
    'square': ('square', ),
    'star': ('star', ),
    'triangle': ('triangle', ),
    '': ('object', 'shape'),
}
ADJECTIVES = {
    'small': ('small', 'small', 'little'),
    'medium': ('medium', ),
    'large': ('large', 'large', 'big'),
    'plain': ('plain', ),
    'striped': ('striped', ),
    'dotted': ('dotted', ),
    **{colour: (colour, ) for colour in COLOUR_WORDS},
}
WITH = {'striped': 'with stripes', 'dotted': 'with dots'}
# (before the noun, after the noun)
SUPERLATIVES = {
    'leftmost': (('leftmost', ), ('furthest to the left', )),
    'rightmost': (('rightmost', ), ('furthest to the right', )),
    'topmost': (('topmost', 'highest'), ()),
    'bottommost': (('bottommost', 'lowest'), ()),
}
REGIONS = {
    'left': ('on the left', 'on the left side', 'at the left'),
    'right': ('on the right', 'on the right side', 'at the right'),
    'top': ('at the top', 'in the upper part'),
    'bottom': ('at the bottom', 'in the lower part'),
    'middle': ('in the middle', 'in the centre'),
    'top left': ('at the top left', 'in the upper left'),
    'top right': ('at the top right', 'in the upper right'),
    'bottom left': ('at the bottom left', 'in the lower left'),
    'bottom right': ('at the bottom right', 'in the lower right'),
}
TIMES = {
    'always': ('', ),
    'start': ('at the start', 'at first', 'in the first frame'),
    'end': ('at the end', 'in the last frame'),
}
# (finite form, participle) or a finite form only
EXTENT = {
    'still': (('stays still', 'staying still'), ('does not move', ),
              ('stays in place', 'staying in place'),
              ('never moves', 'never moving')),
    'moves': (('moves', 'moving'), ('does not stay still', )),
    'round': (('goes round', 'going round'),
              ('moves in a circle', 'moving in a circle'),
              ('travels round', 'travelling round')),
    'zigzag': (('zigzags', 'zigzagging'),
               ('moves in a zigzag', 'moving in a zigzag')),
    'bounce': (('bounces', 'bouncing'),
               ('goes back and forth', 'going back and forth'),
               ('bounces back and forth', 'bouncing back and forth')),
    'leaves': (('leaves and comes back', 'leaving and coming back'),
               ('leaves the frame and comes back',
                'leaving the frame and coming back')),
    'straight': (('moves in a straight line', 'moving in a straight line'),
                 ('travels straight', 'travelling straight')),
    'horizontal': (('moves sideways', 'moving sideways'),
                   ('travels sideways', 'travelling sideways')),
    'vertical': (('moves vertically', 'moving vertically'),
                 ('travels vertically', 'travelling vertically')),
}
ORDER = {
    'clockwise': (('goes round clockwise', 'going round clockwise'),
                  ('moves clockwise', 'moving clockwise')),
    'anticlockwise': (('goes round anticlockwise',
                       'going round anticlockwise'),
                      ('moves anticlockwise', 'moving anticlockwise')),
    'stops': (('moves and then stops', 'moving and then stopping'),
              ('stops half way', 'stopping half way'),
              ('comes to a stop', 'coming to a stop')),
    'waits': (('waits and then moves', 'waiting and then moving'),
              ('stays still and then moves', 'staying still and then moving')),
    'faster': (('gets faster', 'getting faster'),
               ('becomes faster and faster', ),
               ('moves faster and faster', 'moving faster and faster')),
    'slower': (('gets slower', 'getting slower'),
               ('becomes slower and slower', ),
               ('moves slower and slower', 'moving slower and slower')),
    'grows': (('grows', 'growing'), ('gets bigger', 'getting bigger'),
              ('becomes larger', )),
    'shrinks': (('shrinks', 'shrinking'), ('gets smaller', 'getting smaller'),
                ('becomes smaller', )),
    'late': (('appears late', 'appearing late'), ('is not there at first', )),
    'early': (('disappears early', 'disappearing early'),
              ('disappears before the end', ),
              ('is not there at the end', )),
}
GO = (('moves', 'moving'), ('travels', 'travelling'), ('goes', 'going'))
WAYS = {
    'right': ('right', 'to the right', 'rightwards'),
    'left': ('left', 'to the left', 'leftwards'),
    'up': ('up', 'upwards'),
    'down': ('down', 'downwards'),
    'up left': ('up and left', 'up and to the left'),
    'up right': ('up and right', 'up and to the right'),
    'down left': ('down and left', 'down and to the left'),
    'down right': ('down and right', 'down and to the right'),
}
# after a direction, as in 'moves left and then stops'
AND_THEN = {
    'stops': (('and then stops', 'and then stopping'),
              ('and stops half way', 'and stopping half way')),
    'faster': (('faster and faster', 'faster and faster'),
               ('and gets faster', 'and getting faster')),
    'slower': (('slower and slower', 'slower and slower'),
               ('and gets slower', 'and getting slower')),
}
FIRST_WAITS = (('waits and then', 'waiting and then'),
               ('stays still and then', 'staying still and then'))
# (finite form, participle), or phrases that may follow 'is'
RELATIONS = {
    'left': ('just left of', 'just to the left of', 'directly left of'),
    'right': ('just right of', 'just to the right of', 'directly right of'),
    'above': ('just above', 'directly above'),
    'below': ('just below', 'directly below'),
    'behind': ('behind', 'partly hidden by'),
    'front': ('in front of', 'partly hiding'),
    'follow': (('follows', 'following'), ('goes after', 'going after'),
               ('travels behind', 'travelling behind')),
    'lead': (('leads', 'leading'), ('goes ahead of', 'going ahead of'),
             ('is followed by', 'followed by')),
}
TAILS = ('in the video', 'in the scene')


def _noun_phrase(words: Iterable[str], rng: RandomStream) -> tuple[str, str]:
    """Put look words into (words up to the noun, words after it)."""
    words = set(words)
    shape = next((w for w in SHAPES if w in words), '')
    size = [w for w in SIZES if w in words]
    colour = [w for w in COLOUR_WORDS if w in words]
    texture = [w for w in TEXTURES if w in words]
    behind = ''
    if texture and texture[0] in WITH and rng.chance(0.3):
        behind = WITH[texture.pop()]
    order = size + rng.choice([texture + colour, colour + texture])
    nouns = NOUNS[shape]
    if not shape and order:
        nouns += ('one', )
    front = [rng.choice(ADJECTIVES[w]) for w in order] + [rng.choice(nouns)]
    return ' '.join(front), behind


def _join(*pieces: str) -> str:
    return ' '.join(p for p in pieces if p)


def _form(forms: Sequence[tuple[str, ...]], finite: bool,
          rng: RandomStream) -> str:
    usable = [f for f in forms if finite or len(f) == 2]
    return rng.choice(usable)[0 if finite else 1]


def _motion(parts: Sequence[Part], finite: bool, rng: RandomStream) -> str:
    """Put a motion, or a direction and its manner, into a verb phrase."""
    names = [p.name for p in parts]
    heading = next((n for n in names if n.startswith('heads ')), None)
    if heading is None:
        table = EXTENT if parts[0].kind == 'extent' else ORDER
        return _form(table[names[0]], finite, rng)
    way = rng.choice(WAYS[heading.removeprefix('heads ')])
    manner = next((n for n in names if n != heading), None)
    if manner == 'waits':
        return _join(_form(FIRST_WAITS, finite, rng),
                     _form(GO, finite, rng), way)
    return _join(
        _form(GO, finite, rng), way,
        _form(AND_THEN[manner], finite, rng) if manner else '')


def _relation(part: Part, finite: bool, anchor: str, rng: RandomStream) -> str:
    if part.name in ('follow', 'lead'):
        return _join(_form(RELATIONS[part.name], finite, rng), 'the', anchor)
    return _join('is' if finite else '', rng.choice(RELATIONS[part.name]),
                 'the', anchor)


def _clauses(meaning: Meaning, anchors: dict[int, list[tuple[str, ...]]],
             finite: bool, rng: RandomStream) -> list[str]:
    """Put motions, then relations, into verb phrases."""
    motions = [p for p in meaning.parts if p.category == 'motion']
    headed = any(p.name.startswith('heads ') for p in motions)
    manners = (*AND_THEN, 'waits')
    groups: list[list[Part]] = []
    for part in motions:  # direction and manner share a phrase
        if headed and part.name in manners and groups:
            groups[-1].append(part)
        else:
            groups.append([part])
    out = [_motion(group, finite, rng) for group in groups]
    for part in meaning.parts:
        if part.kind == 'relation':
            known = anchors[part.anchor]
            brief = min(len(words) for words in known) + 1
            words = rng.choice([w for w in known if len(w) <= brief])
            out.append(_relation(part, finite,
                                 _join(*_noun_phrase(words, rng)), rng))
    return out


def wording(meaning: Meaning, anchors: dict[int, list[tuple[str, ...]]],
            rng: RandomStream, tail: bool = False) -> str:
    """Put a meaning into words, with random synonyms and order.

    Args:
        anchors: look phrases that match one object, by object.
        tail: add words without meaning ('in the video').
    """
    front, behind = _noun_phrase(meaning.words, rng)
    time, position, before = '', '', ''
    for part in meaning.parts:
        if part.kind == 'superlative':
            before_, behind_ = SUPERLATIVES[part.name]
            word = rng.choice(before_ + behind_)
            before, position = ((word, '') if word in before_ else ('', word))
        elif part.kind == 'region':
            position = rng.choice(REGIONS[part.name])
        else:
            continue
        time = rng.choice(TIMES[part.when])
    count = sum(p.category != 'position' for p in meaning.parts)
    finite = count != 1 or rng.chance(0.65)
    clauses = ' and '.join(_clauses(meaning, anchors, finite, rng))
    if clauses and finite:
        clauses = rng.choice(['that', 'which']) + ' ' + clauses
    in_front = bool(time) and rng.chance(0.4)
    early = (not time and position.startswith(('at', 'in', 'on'))
             and rng.chance(0.25))
    said = _join(
        time if in_front else '', position if early else '', 'the', before,
        front, behind, '' if early else position, '' if in_front else time,
        clauses)
    return _join(said, rng.choice(TAILS)) if tail else said


def expression(short: Meaning, long: Meaning | None,
               anchors: dict[int, list[tuple[str, ...]]],
               rng: RandomStream) -> str:
    """Put a short meaning, or its long form if given, into words."""
    if long is None:
        return wording(short, anchors, rng)
    return wording(long, anchors, rng, tail=long == short or rng.chance(0.2))


def _words(item: object) -> Iterable[str]:
    if isinstance(item, str):
        yield from item.split()
    else:
        for each in item.values() if isinstance(item, dict) else item:
            yield from _words(each)


VOCABULARY: tuple[str, ...] = tuple(sorted({
    *_words([NOUNS, ADJECTIVES, WITH, SUPERLATIVES, REGIONS, TIMES, EXTENT,
             ORDER, GO, WAYS, AND_THEN, FIRST_WAITS, RELATIONS, TAILS]),
    'the', 'one', 'is', 'and', 'that', 'which'}))
