"""Represent what an expression means, and check that it refers to one object.

A meaning is a set of look words and a list of parts (position, motion,
relation). :meth:`MeaningEvaluator.check` implements the rules of the
benchmark: exactly one object matches, and distractors match all parts but
those that define the type.
"""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from .random_stream import RandomStream
from .scene_facts import (
    DIRECTIONS,
    EXTENT_FACTS,
    MIRRORED,
    ORDER_FACTS,
    REGIONS,
    RELATIONS,
    SIDES,
    SUPERLATIVES,
    WHENS,
    Bits,
    Facts,
)

TYPES = ('appearance', 'position', 'motion-extent', 'motion-order',
         'relation', 'mixed')


@dataclass(frozen=True, order=True)
class Part:
    """One predicate of a meaning.

    Args:
        kind: 'superlative', 'region', 'extent', 'order' or 'relation'.
        name: name of the predicate within its kind.
        when: 'always', 'start' or 'end'; for positions.
        anchor: index of the other object; for relations.
    """
    kind: str
    name: str
    when: str = 'always'
    anchor: int = -1

    @property
    def category(self) -> str:
        return {'superlative': 'position', 'region': 'position',
                'extent': 'motion', 'order': 'motion',
                'relation': 'relation'}[self.kind]


@dataclass(frozen=True, order=True)
class Meaning:
    """The meaning of an expression.

    Args:
        type_id: one of ``TYPES``.
        target: index of the referred object.
        words: look words, a subset of the target's.
        parts: the other predicates.
        core: categories without which the target is not unique; other
            categories are true but not necessary.
    """
    type_id: str
    target: int
    words: tuple[str, ...]
    parts: tuple[Part, ...]
    core: tuple[str, ...]


@dataclass(frozen=True)
class Oracles:
    """Bit sets of the objects that oracles choose from.

    Args:
        static: for an oracle that knows one frame.
        set: for an oracle that knows all frames, without their order.
        position: for an oracle that knows the words of position.
    """
    static: int
    set: int
    position: int


class MeaningEvaluator:
    """Evaluate meanings on the facts of one video."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._looks = {(): facts.all}

    def look(self, words: tuple[str, ...]) -> Bits:
        """Return the objects that match all look words."""
        if words not in self._looks:
            self._looks[words] = self.look(words[:-1]).intersect(
                self.facts.look[words[-1]])
        return self._looks[words]

    def part(self, part: Part, among: int, backwards: bool = False) -> Bits:
        """Return the objects that match one part.

        Args:
            among: bit set of the objects that a superlative compares.
            backwards: evaluate on the video played backwards. Positions do
                not change, because they refer to a given frame.
        """
        facts = self.facts
        if part.kind == 'superlative':
            return facts.superlative(part.name, part.when, among)
        if part.kind == 'region':
            return facts.region[part.name, part.when]
        if part.kind == 'extent':
            return facts.extent[part.name]
        if part.kind == 'order':
            return (facts.order_reversed if backwards else
                    facts.order)[part.name]
        name = MIRRORED.get(part.name, part.name) if backwards else part.name
        return facts.relation[name, part.anchor]

    def fits(self, meaning: Meaning, without: str = '',
             backwards: bool = False) -> Bits:
        """Return the objects that match all parts, without one category."""
        out = self.facts.all if without == 'look' else self.look(
            meaning.words)
        among = out.maybe
        for part in meaning.parts:
            if part.category != without:
                out = out.intersect(self.part(part, among, backwards))
        return out

    # ---- the rules
    def check(self, meaning: Meaning) -> bool:
        """Check that only the target matches, and the rule of the type."""
        if self.fits(meaning).only != meaning.target:
            return False
        look = self.look(meaning.words)
        if (any(p.kind == 'superlative' for p in meaning.parts)
                and (look.sure != look.maybe or look.sure.bit_count() < 2)):
            return False
        rule = {
            'appearance': self._near_miss,
            'position': self._position_decides,
            'motion-extent': self._motion_decides,
            'motion-order': self._order_decides,
            'relation': self._relation_decides,
            'mixed': self._all_decide,
        }[meaning.type_id]
        return rule(meaning)

    def _others(self, meaning: Meaning, found: Bits) -> int:
        return found.sure & ~(1 << meaning.target)

    def _near_miss(self, meaning: Meaning) -> bool:
        """Check that another object matches all look words but one."""
        rest = self.fits(meaning, without='look')
        for word in meaning.words:
            kept = tuple(w for w in meaning.words if w != word)
            miss = ~self.facts.look[word].maybe
            if self._others(meaning,
                            rest.intersect(self.look(kept))) & miss:
                return True
        return False

    def _position_decides(self, meaning: Meaning) -> bool:
        return self._others(
            meaning, self.fits(meaning, without='position')) != 0

    def _twin(self, meaning: Meaning) -> int | None:
        """Return the only other object that matches without motion, if it is
        a twin."""
        rest = self.fits(meaning, without='motion')
        others = self._others(meaning, rest)
        if rest.sure != rest.maybe or others.bit_count() != 1:
            return None
        twin = others.bit_length() - 1
        return twin if self.facts.same_look(meaning.target, twin) else None

    def _motion_decides(self, meaning: Meaning) -> bool:
        return (all(p.kind != 'order' for p in meaning.parts)
                and self._twin(meaning) is not None)

    def _order_decides(self, meaning: Meaning) -> bool:
        """Check that the sentence refers to the twin in the video played
        backwards."""
        twin = self._twin(meaning)
        return (twin is not None
                and self.fits(meaning, backwards=True).only == twin)

    def _relation_decides(self, meaning: Meaning) -> bool:
        """Check that another object matches and has a similar relation.

        An object on the other side of the same anchor is no distractor: of
        two such objects, the leftmost is known without the relation.
        """
        rest = self.fits(meaning, without='relation')
        others = self._others(meaning, rest)
        relations = [p for p in meaning.parts if p.kind == 'relation']
        for part in relations:
            if not meaning.words:
                others &= ~(1 << part.anchor)
            elif rest.maybe >> part.anchor & 1:
                return False  # as in 'the ring left of the ring'
        family = SIDES if relations[0].name in SIDES else [
            r for r in RELATIONS if r not in SIDES]
        for (name, anchor), found in self.facts.relation.items():
            same = anchor in [p.anchor for p in relations]
            if (name in family and not (same and name in SIDES)
                    and found.sure & others):
                return True
        return False

    def _all_decide(self, meaning: Meaning) -> bool:
        """Check that the target is not unique without each core category."""
        for part in meaning.parts:
            if (part.kind == 'relation' and meaning.words
                    and self.look(meaning.words).maybe >> part.anchor & 1):
                return False
        return all(self._others(meaning, self.fits(meaning, without=c))
                   for c in meaning.core)

    # ---- oracles
    def oracles(self, meaning: Meaning) -> Oracles:
        static = self.look(meaning.words)
        among = static.maybe
        where = self.facts.all
        for part in meaning.parts:
            if part.category == 'position':
                found = self.part(part, self.facts.all.maybe)
                where = where.intersect(found) if where.intersect(
                    found).maybe else where
                static = static.intersect(self.part(part, among))
            elif part.name in MIRRORED:  # one frame shows no direction
                static = static.intersect(
                    self.part(part, among).join(
                        self.part(part, among, backwards=True)))
            elif part.kind == 'relation':
                static = static.intersect(self.part(part, among))
        both = self.fits(meaning).join(self.fits(meaning, backwards=True))
        return Oracles(static.maybe, both.maybe, where.maybe)


# ---- candidates

def _phrases(evaluator: MeaningEvaluator
             ) -> list[tuple[tuple[str, ...], Bits]]:
    """Return all sets of look words that some object matches, sorted."""
    found = set()
    for obj in evaluator.facts.scene.objects:
        for count in range(5):
            found.update(combinations(obj.look.words, count))
    out = [(words, evaluator.look(words)) for words in sorted(found)]
    return [(words, bits) for words, bits in out if bits.sure]


def _positions() -> list[Part]:
    return [Part(kind, name, when)
            for kind, names in (('region', REGIONS),
                                ('superlative', SUPERLATIVES))
            for name in names for when in WHENS]


def _motions() -> list[tuple[Part, ...]]:
    single = ([(Part('extent', name),) for name in EXTENT_FACTS]
              + [(Part('order', name),) for name in ORDER_FACTS])
    double = [(Part('order', f'heads {heading}'), Part('order', name))
              for heading in DIRECTIONS
              for name in ('stops', 'waits', 'faster', 'slower')]
    return single + double


def describable(evaluator: MeaningEvaluator
                ) -> dict[int, list[tuple[str, ...]]]:
    """Return the look phrases that match exactly one object."""
    out: dict[int, list[tuple[str, ...]]] = {}
    for words, bits in _phrases(evaluator):
        # anchors are named with their shape, as in 'behind the blue square'
        if bits.only is not None and evaluator.facts.scene.objects[
                bits.only].look.shape in words:
            out.setdefault(bits.only, []).append(words)
    return out


def _mixes(positions: list[tuple[Part, ...]], motions: list[tuple[Part, ...]],
           relations: list[tuple[Part, ...]], words: tuple[str, ...]
           ) -> Iterator[tuple[tuple[Part, ...], tuple[str, ...]]]:
    """Yield parts and core categories of expressions of type mixed."""
    groups = {'position': positions, 'motion': motions, 'relation': relations}
    if words:
        for category, group in groups.items():
            for parts in group:
                yield parts, ('look', category)
    for a, b in combinations(groups, 2):
        for one in groups[a]:
            for two in groups[b]:
                yield one + two, (a, b)
                if words:
                    yield one + two, ('look', a, b)


def candidates(evaluator: MeaningEvaluator, rng: RandomStream,
               mixes: int = 1500) -> dict[tuple[str, int], list[Meaning]]:
    """Return all meanings that pass the check, in random order.

    Args:
        mixes: number of mixed meanings to try, drawn from all of them.

    Returns:
        {(type_id, target): meanings}.
    """
    facts = evaluator.facts
    positions = [(p,) for p in _positions()]
    anchors = sorted(describable(evaluator))
    relations = [(Part('relation', name, anchor=a),) for name in RELATIONS
                 for a in anchors if facts.relation[name, a].sure]
    motions = [m for m in _motions() if any(
        _intersection(evaluator, m).sure >> i & 1 for i in range(facts.count))]
    tried: list[tuple[str, tuple[str, ...], tuple[Part, ...],
                      tuple[str, ...]]] = []
    mixed = []
    for words, bits in _phrases(evaluator):
        if words:
            tried.append(('appearance', words, (), ('look',)))
        if bits.sure.bit_count() < 2:
            continue
        tried += [('position', words, p, ('position',)) for p in positions]
        tried += [('relation', words, p, ('relation',)) for p in relations]
        if words:
            tried += [('motion-order' if any(p.kind == 'order' for p in m)
                       else 'motion-extent', words, m, ('motion',))
                      for m in motions]
        mixed += [('mixed', words, *each) for each in _mixes(
            [p for p in positions if p[0].when == 'always'], motions,
            relations, words)]
    tried += [rng.choice(mixed) for _ in range(mixes if mixed else 0)]
    out: dict[tuple[str, int], list[Meaning]] = {}
    for type_id, words, parts, core in dict.fromkeys(tried):
        look = evaluator.look(words)
        found = look
        for part in parts:
            found = found.intersect(evaluator.part(part, look.maybe))
            if not found.sure:
                break
        if found.only is not None:
            meaning = Meaning(type_id, found.only, words, parts, core)
            if evaluator.check(meaning):
                out.setdefault((type_id, found.only), []).append(meaning)
    return {key: rng.shuffled(out[key]) for key in sorted(out)}


def _intersection(evaluator: MeaningEvaluator, parts: Sequence[Part]) -> Bits:
    out = evaluator.facts.all
    for part in parts:
        out = out.intersect(evaluator.part(part, out.maybe))
    return out


def lengthen(evaluator: MeaningEvaluator, meaning: Meaning,
             rng: RandomStream) -> Meaning:
    """Add up to two words or clauses that are true and not necessary.

    The longer meaning passes the same check. If nothing can be added, the
    meaning itself is returned.
    """
    target = 1 << meaning.target
    pool: list[str | Part] = [
        w for w in evaluator.facts.scene.objects[meaning.target].look.words
        if w not in meaning.words]
    said = {p.category for p in meaning.parts}
    clauses = [Part('extent', name) for name in EXTENT_FACTS]
    if 'position' not in said:
        clauses += [Part('region', name) for name in REGIONS]
    if 'motion' not in said and meaning.type_id != 'motion-extent':
        clauses += [Part('order', name) for name in ORDER_FACTS]
    names = [p.name for p in meaning.parts]
    pool += [p for p in clauses if p.name not in names
             and evaluator.part(p, 0).sure & target
             and not _redundant(p, meaning)]
    out = meaning
    added = 0
    for extra in rng.shuffled(pool)[:8]:
        if isinstance(extra, str):
            words = tuple(
                w for w in evaluator.facts.scene.objects[meaning.target].look.
                words if w in out.words or w == extra)
            longer = replace(out, words=words)
        elif any(p.category == extra.category and p not in meaning.parts
                 for p in out.parts):
            continue
        else:
            longer = replace(out, parts=(*out.parts, extra))
        if evaluator.check(longer):
            out, added = longer, added + 1
            if added == 2:
                break
    return out


def _redundant(part: Part, meaning: Meaning) -> bool:
    """Return whether another motion of the meaning implies the part."""
    motions = [p.name for p in meaning.parts if p.category == 'motion']
    return bool(motions) and part.category == 'motion' and (
        part.name in ('moves', 'still') or motions[0] in ('still', 'round')
        or part.name == 'round')
