"""Meanings: what an expression says, and the proof that it is a good one.

A meaning is a set of look words and a list of parts (place, motion,
relation). ``check`` holds the rules of the benchmark: exactly one object fits,
and distractors agree in everything but what the type is about, given the very
words that are used.
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
    """One thing that is said.

    Args:
        kind: 'superlative', 'region', 'extent', 'order' or 'relation'.
        name: which one.
        when: 'always', 'start' or 'end', of places.
        anchor: number of the other object, of relations.
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
    """What an expression says.

    Args:
        type_id: one of ``TYPES``.
        target: number of the object that is meant.
        words: look words, a subset of the target's.
        parts: what else is said.
        core: the categories that decide; the rest is true but unnecessary.
    """
    type_id: str
    target: int
    words: tuple[str, ...]
    parts: tuple[Part, ...]
    core: tuple[str, ...]


@dataclass(frozen=True)
class Oracles:
    """Bit sets an oracle that is blind to something chooses from."""
    static: int
    set: int
    position: int


class MeaningEvaluator:
    """Evaluates meanings on the facts of one video."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._looks = {(): facts.all}

    def look(self, words: tuple[str, ...]) -> Bits:
        """Objects that all the look words fit."""
        if words not in self._looks:
            self._looks[words] = self.look(words[:-1]).meet(
                self.facts.look[words[-1]])
        return self._looks[words]

    def part(self, part: Part, among: int, backwards: bool = False) -> Bits:
        """One part, perhaps in the video played backwards.

        Places stay as they are then: the frame they speak of is given.
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
        """Objects that fit, when one category is not said."""
        out = self.facts.all if without == 'look' else self.look(
            meaning.words)
        among = out.maybe
        for part in meaning.parts:
            if part.category != without:
                out = out.meet(self.part(part, among, backwards))
        return out

    # ---- the rules
    def check(self, meaning: Meaning) -> bool:
        """Whether exactly the target fits, against decisive distractors."""
        if self.fits(meaning).only != meaning.target:
            return False
        look = self.look(meaning.words)
        if (any(p.kind == 'superlative' for p in meaning.parts)
                and (look.sure != look.maybe or look.sure.bit_count() < 2)):
            return False
        rule = {
            'appearance': self._near_miss,
            'position': self._place_decides,
            'motion-extent': self._motion_decides,
            'motion-order': self._order_decides,
            'relation': self._relation_decides,
            'mixed': self._all_decide,
        }[meaning.type_id]
        return rule(meaning)

    def _others(self, meaning: Meaning, found: Bits) -> int:
        return found.sure & ~(1 << meaning.target)

    def _near_miss(self, meaning: Meaning) -> bool:
        """Another object misses exactly one of the look words."""
        rest = self.fits(meaning, without='look')
        for word in meaning.words:
            kept = tuple(w for w in meaning.words if w != word)
            miss = ~self.facts.look[word].maybe
            if self._others(meaning,
                            rest.meet(self.look(kept))) & miss:
                return True
        return False

    def _place_decides(self, meaning: Meaning) -> bool:
        return self._others(
            meaning, self.fits(meaning, without='position')) != 0

    def _twin(self, meaning: Meaning) -> int | None:
        """The only other object that fits without motion, if a twin."""
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
        """Played backwards, the sentence means the twin."""
        twin = self._twin(meaning)
        return (twin is not None
                and self.fits(meaning, backwards=True).only == twin)

    def _relation_decides(self, meaning: Meaning) -> bool:
        """Another object fits and has a relation of its own.

        Beside an anchor on one side would also be the leftmost: there it must
        be another anchor.
        """
        rest = self.fits(meaning, without='relation')
        others = self._others(meaning, rest)
        relations = [p for p in meaning.parts if p.kind == 'relation']
        for part in relations:
            if not meaning.words:
                others &= ~(1 << part.anchor)
            elif rest.maybe >> part.anchor & 1:
                return False  # 'the ring beside the ring'
        family = SIDES if relations[0].name in SIDES else [
            r for r in RELATIONS if r not in SIDES]
        for (name, anchor), found in self.facts.relation.items():
            same = anchor in [p.anchor for p in relations]
            if (name in family and not (same and name in SIDES)
                    and found.sure & others):
                return True
        return False

    def _all_decide(self, meaning: Meaning) -> bool:
        """Without any one of the deciding categories it is not unique."""
        for part in meaning.parts:
            if (part.kind == 'relation' and meaning.words
                    and self.look(meaning.words).maybe >> part.anchor & 1):
                return False
        return all(self._others(meaning, self.fits(meaning, without=c))
                   for c in meaning.core)

    # ---- what blind oracles know
    def oracles(self, meaning: Meaning) -> Oracles:
        static = self.look(meaning.words)
        among = static.maybe
        where = self.facts.all
        for part in meaning.parts:
            if part.category == 'position':
                found = self.part(part, self.facts.all.maybe)
                where = where.meet(found) if where.meet(
                    found).maybe else where
                static = static.meet(self.part(part, among))
            elif part.name in MIRRORED:  # one frame shows two in a row
                static = static.meet(
                    self.part(part, among).join(
                        self.part(part, among, backwards=True)))
            elif part.kind == 'relation':
                static = static.meet(self.part(part, among))
        both = self.fits(meaning).join(self.fits(meaning, backwards=True))
        return Oracles(static.maybe, both.maybe, where.maybe)


# ---- making them

def _phrases(evaluator: MeaningEvaluator
             ) -> list[tuple[tuple[str, ...], Bits]]:
    """All sets of look words that some object satisfies, sorted."""
    found = set()
    for obj in evaluator.facts.scene.objects:
        for count in range(5):
            found.update(combinations(obj.look.words, count))
    out = [(words, evaluator.look(words)) for words in sorted(found)]
    return [(words, bits) for words, bits in out if bits.sure]


def _places() -> list[Part]:
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
    """The look phrases that mean one object and nothing else."""
    out: dict[int, list[tuple[str, ...]]] = {}
    for words, bits in _phrases(evaluator):
        # an anchor is named by its shape, as in 'behind the blue square'
        if bits.only is not None and evaluator.facts.scene.objects[
                bits.only].look.shape in words:
            out.setdefault(bits.only, []).append(words)
    return out


def _mixes(places: list[tuple[Part, ...]], motions: list[tuple[Part, ...]],
           relations: list[tuple[Part, ...]], words: tuple[str, ...]
           ) -> Iterator[tuple[tuple[Part, ...], tuple[str, ...]]]:
    """Parts and deciding categories of the expressions that mix types."""
    groups = {'position': places, 'motion': motions, 'relation': relations}
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
    """All meanings that pass, by type and target, in a random order.

    Args:
        mixes: how many of the very many mixed ones are tried.
    """
    facts = evaluator.facts
    places = [(p,) for p in _places()]
    anchors = sorted(describable(evaluator))
    relations = [(Part('relation', name, anchor=a),) for name in RELATIONS
                 for a in anchors if facts.relation[name, a].sure]
    motions = [m for m in _motions() if any(
        _meet(evaluator, m).sure >> i & 1 for i in range(facts.count))]
    tried: list[tuple[str, tuple[str, ...], tuple[Part, ...],
                      tuple[str, ...]]] = []
    mixed = []
    for words, bits in _phrases(evaluator):
        if words:
            tried.append(('appearance', words, (), ('look',)))
        if bits.sure.bit_count() < 2:
            continue
        tried += [('position', words, p, ('position',)) for p in places]
        tried += [('relation', words, p, ('relation',)) for p in relations]
        if words:
            tried += [('motion-order' if any(p.kind == 'order' for p in m)
                       else 'motion-extent', words, m, ('motion',))
                      for m in motions]
        mixed += [('mixed', words, *each) for each in _mixes(
            [p for p in places if p[0].when == 'always'], motions, relations,
            words)]
    tried += [rng.choice(mixed) for _ in range(mixes if mixed else 0)]
    out: dict[tuple[str, int], list[Meaning]] = {}
    for type_id, words, parts, core in dict.fromkeys(tried):
        look = evaluator.look(words)
        found = look
        for part in parts:
            found = found.meet(evaluator.part(part, look.maybe))
            if not found.sure:
                break
        if found.only is not None:
            meaning = Meaning(type_id, found.only, words, parts, core)
            if evaluator.check(meaning):
                out.setdefault((type_id, found.only), []).append(meaning)
    return {key: rng.shuffled(out[key]) for key in sorted(out)}


def _meet(evaluator: MeaningEvaluator, parts: Sequence[Part]) -> Bits:
    out = evaluator.facts.all
    for part in parts:
        out = out.meet(evaluator.part(part, out.maybe))
    return out


def lengthen(evaluator: MeaningEvaluator, meaning: Meaning,
             rng: RandomStream) -> Meaning:
    """Add words and clauses that are true and that nothing needs.

    They must not decide either: the longer meaning passes the same check.
    The meaning itself where nothing more can be said.
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
    """'moves' beside another motion would only repeat it."""
    motions = [p.name for p in meaning.parts if p.category == 'motion']
    return bool(motions) and part.category == 'motion' and (
        part.name in ('moves', 'still') or motions[0] in ('still', 'round')
        or part.name == 'round')
