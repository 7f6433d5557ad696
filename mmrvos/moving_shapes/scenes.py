"""Draw scenes: the objects of a video, their looks and their motions.

A scene consists of *twins*, two objects of the same look that differ in
motion, position or relations only; of *anchors*, to which twins are related;
and of *fillers*, whose look differs from another object in one attribute. Half
of the scenes are played backwards. So the distribution of videos is invariant
to time reversal, and the twins of an order pair differ only in the order of
the frames.
"""
from dataclasses import dataclass, field, replace

import numpy as np

from .motions import EXTENT, ORDER, Path, leaving_path, random_path
from .random_stream import RandomStream
from .shapes import SHAPES, direction, outer_radius

COLOUR_WORDS = ('blue', 'cyan', 'green', 'orange', 'pink', 'purple', 'red',
                'yellow')
TEXTURES = ('dotted', 'plain', 'striped')
# radius of the circle of the same area, in frame heights. Areas differ by a
# factor of 2.25, and by more than 2 with the jitter of 2% in radius.
SIZES = {'small': 0.0755, 'medium': 0.1133, 'large': 0.17}
# about a tenth of the pairs of colour and shape, used in validation only
HELD_OUT = (('red', 'star'), ('blue', 'ring'), ('green', 'triangle'),
            ('yellow', 'square'), ('purple', 'cross'))


@dataclass(frozen=True)
class Look:
    colour: str
    shape: str
    size: str
    texture: str
    # no word describes these attributes; twins share them
    jitter: float
    tilt: float
    texture_turn: float
    tint: tuple[int, int, int]
    light: tuple[float, float]

    @property
    def words(self) -> tuple[str, str, str, str]:
        return self.colour, self.shape, self.size, self.texture

    @property
    def radius(self) -> float:
        return SIZES[self.size] * self.jitter

    @property
    def outer(self) -> float:
        return self.radius * outer_radius(self.shape)


@dataclass(frozen=True)
class Move:
    """The recipe of a path."""
    kind: str
    turn: float
    backwards: bool = False


@dataclass(frozen=True)
class Object:
    """One object; lengths are in frame heights, the largest ``depth`` is in
    front."""
    look: Look
    path: Path
    depth: float

    colour = property(lambda self: self.look.colour)
    shape = property(lambda self: self.look.shape)
    size = property(lambda self: self.look.size)
    texture = property(lambda self: self.look.texture)
    radius = property(lambda self: self.look.radius)
    tilt = property(lambda self: self.look.tilt)
    texture_turn = property(lambda self: self.look.texture_turn)
    tint = property(lambda self: self.look.tint)
    light = property(lambda self: self.look.light)


@dataclass(frozen=True)
class Scene:
    key: tuple[int, ...]
    num_frames: int
    aspect: float
    objects: tuple[Object, ...]
    noise: float


class SceneFailed(Exception):
    """The objects do not fit into the frame; draw another scene."""


@dataclass
class _Unit:
    """Objects that share a path: (look, offset, depth) each."""
    move: Move
    members: list[tuple[Look, tuple[float, float], float]]


@dataclass
class _Builder:
    rng: RandomStream
    num_frames: int
    aspect: float
    held_out: bool  # may pairs of HELD_OUT appear?
    looks: list[Look] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    placed: list[tuple[Look, Path, float]] = field(default_factory=list)

    # ---- looks
    def _allowed(self, words: tuple[str, ...]) -> bool:
        if not self.held_out and words[:2] in HELD_OUT:
            return False
        return all(words != look.words for look in self.looks)

    def _finish(self, words: tuple[str, ...]) -> Look:
        rng = self.rng
        look = Look(
            *words,
            jitter=rng.uniform(0.98, 1.02),
            tilt=rng.uniform(-0.04, 0.04),
            texture_turn=rng.integer(32) / 32,
            tint=tuple(rng.integer(21) - 10 for _ in range(3)),
            light=direction(rng.integer(32) / 32))
        self.looks.append(look)
        return look

    def _size(self, single: bool) -> str:
        """Draw a size, smaller on average for objects without a twin.

        Otherwise the largest object would be the target more often than by
        chance, because twins are two of the largest.
        """
        names = tuple(SIZES)
        draws = [self.rng.integer(3) for _ in range(2)]
        return names[min(draws) if single else draws[0]]

    def new_look(self, not_colour: str = '', single: bool = False) -> Look:
        rng = self.rng
        while True:
            pair = (rng.choice(COLOUR_WORDS), rng.choice(SHAPES))
            if self.held_out and rng.chance(0.35):
                pair = rng.choice(HELD_OUT)
            words = (*pair, self._size(single), rng.choice(TEXTURES))
            if words[0] != not_colour and self._allowed(words):
                return self._finish(words)

    def near_look(self, other: Look | None = None,
                  not_colour: str = '') -> Look:
        """A look that differs from another in one attribute."""
        rng = self.rng
        values = (COLOUR_WORDS, SHAPES, (self._size(True), ), TEXTURES)
        for _ in range(50):
            words = list((other or rng.choice(self.looks)).words)
            index = rng.choice([0, 0, 1, 1, 2, 3])
            words[index] = rng.choice(values[index])
            if words[0] != not_colour and self._allowed(tuple(words)):
                return self._finish(tuple(words))
        return self.new_look(not_colour, single=True)

    # ---- motions
    def move(self, kinds: tuple[str, ...]) -> Move:
        rng = self.rng
        turn = rng.integer(8) / 8 + rng.uniform(-0.008, 0.008)
        return Move(rng.choice(kinds), turn % 1.0, rng.chance(0.5))

    def twin_moves(self, order: bool,
                   kinds: tuple[str, ...] | None = None) -> list[Move]:
        """Draw two motions: time reversals of each other, or two kinds."""
        if order:
            first = self.move(kinds or ORDER)
            return [first, replace(first, backwards=not first.backwards)]
        return [replace(self.move(EXTENT), kind=kind)
                for kind in self.rng.sample(kinds or EXTENT, 2)]

    def path(self, move: Move, look: Look) -> Path:
        if move.kind == 'leave':
            left = self.rng.chance(0.5)
            start = self.rng.uniform(0.25, 0.6)
            path = leaving_path(self.num_frames, start, -look.outer - 0.03)
            if not left:
                centres = path.centres * [-1, 1] + [self.aspect, 0]
                path = replace(path, centres=centres)
            return path
        sideways = abs(direction(move.turn)[0])
        reach = ((0.45, 0.8) if sideways > 0.9 else
                 (0.34, 0.52) if sideways > 0.3 else (0.3, 0.45))
        path = random_path(move.kind, self.num_frames, self.rng, move.turn,
                           reach)
        return path.reversed() if move.backwards else path

    # ---- positions
    def _overlap(self, look: Look, path: Path) -> float:
        total = 0.0
        for other, other_path, _ in self.placed:
            gap = path.centres - other_path.centres
            distance = np.sqrt(gap[:, 0]**2 + gap[:, 1]**2)
            sizes = (path.scales * look.radius,
                     other_path.scales * other.radius)
            deep = np.maximum(
                0, (sizes[0] + sizes[1]) * 1.08 - distance) / (
                    2 * np.minimum(*sizes))
            deep = np.minimum(deep, 1) * (path.present & other_path.present)
            total = max(total, float(deep.mean()))
        return total

    def place(self, unit: _Unit, limit: float = 0.14) -> None:
        """Put a unit at a position where it fits and occludes little.

        Raises:
            SceneFailed: no position was found.
        """
        best, best_overlap = None, limit
        for _ in range(24):
            base = self.path(unit.move, unit.members[0][0])
            paths = [base.moved(*offset) for _, offset, _ in unit.members]
            low, high = [-9.0, -9.0], [9.0, 9.0]
            for (look, _, _), path in zip(unit.members, paths, strict=True):
                edge = (path.scales * look.outer * 0.85)[:, None]
                low = np.maximum(low, (edge - path.centres).max(0))
                high = np.minimum(
                    high,
                    ([self.aspect, 1.0] - edge - path.centres).min(0))
            if unit.move.kind == 'leave':
                low[0] = high[0] = 0.0
            if (low > high).any():
                continue
            shift = [self.rng.uniform(a, b)
                     for a, b in zip(low.tolist(), high.tolist(),
                                     strict=True)]
            paths = [path.moved(*shift) for path in paths]
            overlap = max(
                self._overlap(look, path) for (look, _, _), path in zip(
                    unit.members, paths, strict=True))
            if overlap < best_overlap:
                best, best_overlap = paths, overlap
                if overlap < 0.03:
                    break
        if best is None:
            raise SceneFailed
        for (look, _, depth), path in zip(unit.members, best, strict=True):
            self.placed.append((look, path, depth))
            self.moves.append(unit.move)

    def single(self, look: Look, move: Move) -> None:
        self.place(_Unit(move, [(look, (0.0, 0.0), self.rng.unit())]))

    # ---- groups
    def twins(self, look: Look, order: bool) -> None:
        for move in self.twin_moves(order):
            self.single(look, move)

    def _offset(self, relation: str, look: Look, anchor: Look,
                move: Move) -> tuple[tuple[float, float], float]:
        """Draw the offset of a related object from its anchor, and its depth.

        The anchor's depth is 0.5.
        """
        if relation in ('behind', 'front'):
            radii = sorted([look.radius, anchor.radius])
            # about a quarter of the smaller object is occluded
            distance = radii[1] + 0.4 * radii[0]
            turn = self.rng.integer(64) / 64
        elif relation in ('follow', 'lead'):
            distance = 0.9 * (look.outer + anchor.outer) + 0.05
            turn = move.turn + (0.5 if relation == 'follow' else 0.0)
            turn += 0.5 if move.backwards else 0.0
        else:
            distance = 0.9 * (look.outer + anchor.outer) + 0.03
            turn = {'right': 0.0, 'below': 0.25, 'left': 0.5,
                    'above': 0.75}[relation]
        x, y = direction(turn)
        depth = {'behind': 0.0, 'front': 1.0}.get(relation,
                                                  self.rng.unit())
        return (x * distance, y * distance), depth

    def related(self, family: tuple[str, ...], second: bool) -> None:
        """Add twins that are related to one anchor, or to two (``second``)."""
        rng = self.rng
        look = self.new_look()
        # overlapping objects have different colours
        anchor = self.new_look(look.colour, single=True)
        temporal = 'follow' in family
        kinds = (('line', 'speed') if temporal else
                 ('still', 'line', 'bounce', 'zigzag'))
        if not second:
            move = self.move(kinds)
            members = [(anchor, (0.0, 0.0), 0.5)]
            for relation in rng.shuffled(family):
                offset, depth = self._offset(relation, look, anchor, move)
                if members[1:]:  # opposite of the first twin
                    offset = (-members[1][1][0], -members[1][1][1])
                members.append((look, offset, depth))
            self.place(_Unit(move, members))
            return
        other = self.near_look(anchor, look.colour)
        if temporal:
            moves = self.twin_moves(True, kinds)
        elif rng.chance(0.35):
            moves = self.twin_moves(True, ('line',))
        else:
            moves = self.twin_moves(False, kinds)
        relations = [rng.choice(family) for _ in range(2)]
        for relation, move, unit_anchor in zip(
                relations, moves, (anchor, other), strict=True):
            offset, depth = self._offset(relation, look, unit_anchor, move)
            self.place(_Unit(move, [(unit_anchor, (0.0, 0.0), 0.5),
                                    (look, offset, depth)]))

    def filler(self) -> None:
        move = self.move(EXTENT + ORDER)
        if self.moves and self.rng.chance(0.5):
            move = self.rng.choice(self.moves)
        self.single(self.near_look(), move)


FAMILIES = (('behind', 'front'), ('left', 'right', 'above', 'below'),
            ('follow', 'lead'))


def make_scene(key: tuple[int, ...], num_frames: int, aspect: float,
               held_out: bool) -> Scene:
    """Draw a scene.

    Args:
        key: of the random stream.
        num_frames: T.
        aspect: width over height of the frame.
        held_out: use the pairs of ``HELD_OUT``, too.

    Raises:
        SceneFailed: an object does not fit; try another key.
    """
    rng = RandomStream(*key)
    build = _Builder(rng, num_frames, aspect, held_out)
    recipe = rng.integer(20)
    if recipe < 6:  # an order pair and an extent pair
        orders = rng.shuffled([True, False])
        build.twins(build.new_look(), orders[0])
        build.twins(build.near_look() if rng.chance(0.5) else
                    build.new_look(), orders[1])
        fillers = rng.integer(3)
    elif recipe < 10:  # one pair
        build.twins(build.new_look(), rng.chance(0.5))
        fillers = 1 + rng.integer(3)
    elif recipe < 16:  # twins beside two anchors
        build.related(rng.choice((*FAMILIES, FAMILIES[1])), second=True)
        fillers = rng.integer(3)
    else:  # twins on both sides of one anchor
        build.related(rng.choice((FAMILIES[0], FAMILIES[2])), second=False)
        fillers = rng.integer(3)
    for _ in range(fillers):
        build.filler()
    area = sum(look.radius**2 for look, _, _ in build.placed) * 3.14
    if area > 0.25 * aspect:
        raise SceneFailed
    objects = [Object(*each) for each in rng.shuffled(build.placed)]
    if rng.chance(0.5):
        objects = [replace(o, path=o.path.reversed()) for o in objects]
    return Scene(key, num_frames, aspect, tuple(objects),
                 noise=rng.uniform(5, 12))
