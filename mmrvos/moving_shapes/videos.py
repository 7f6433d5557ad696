"""Make the arrays and expressions of a video."""
from dataclasses import dataclass

import numpy as np

from .grammar import expression
from .meanings import (
    TYPES,
    Meaning,
    MeaningEvaluator,
    Oracles,
    candidates,
    describable,
    lengthen,
)
from .random_stream import RandomStream
from .render import Video, render
from .scene_facts import Facts
from .scenes import Scene, SceneFailed, make_scene


@dataclass(frozen=True)
class Size:
    """Number of videos and frames of a data set, and (height, width)."""
    train: int
    valid: int
    num_frames: int
    shape: tuple[int, int]


SIZES = {
    'mini': Size(8, 4, 8, (64, 112)),
    'small': Size(1200, 100, 16, (96, 160)),
    'full': Size(3000, 200, 32, (240, 426)),
}
SPLITS = ('train', 'valid')
# sentences per type and video
TRAIN_TEXTS = 10
VALID_TEXTS = {'appearance': 1, 'position': 1, 'motion-extent': 2,
               'motion-order': 2, 'relation': 3, 'mixed': 1}


@dataclass(frozen=True)
class Expression:
    """A sentence, its meaning, and the candidates of the oracles."""
    text: str
    length: str  # 'short' or 'long'
    meaning: Meaning
    oracles: Oracles


@dataclass(frozen=True)
class Made:
    scene: Scene
    video: Video
    facts: Facts
    expressions: list[Expression]


def _visible_enough(facts: Facts) -> bool:
    """Return whether every object is visible in most of the video."""
    there = facts.full > 0
    share = facts.areas.sum(1) / np.maximum(facts.full.sum(1), 1)
    return bool((share > 0.62).all() and (there.mean(1) > 0.45).all()
                and ((facts.areas > 0).mean(1) > 0.45).all())


def make_video(size: Size, split: str, index: int, seed: int = 0) -> Made:
    """Make video ``index`` of a split.

    The result depends on the arguments only, so videos can be made in any
    order.

    Raises:
        RuntimeError: 1,000 scenes did not fit.
    """
    height, width = size.shape
    for attempt in range(1000):
        key = (SPLITS.index(split) + len(SPLITS) * seed, size.num_frames,
               height, index, attempt)
        try:
            scene = make_scene(key, size.num_frames, width / height,
                               held_out=split == 'valid')
        except SceneFailed:
            continue
        video = render(scene, height, width)
        facts = Facts(scene, video.labels, video.amodal_masks)
        if not _visible_enough(facts):
            continue
        expressions = make_expressions(facts, split, RandomStream(*key, 2))
        if len({e.meaning.type_id for e in expressions}) >= 3:
            return Made(scene, video, facts, expressions)
    raise RuntimeError(f'no scene fits for video {index} of {split}')


def _preference(meaning: Meaning, rng: RandomStream) -> float:
    """Draw a sort key: brief meanings and positions without a time tend to
    be first."""
    wordy = meaning.type_id != 'appearance' and len(meaning.words) > 2
    timed = any(p.when != 'always' for p in meaning.parts)
    return rng.unit() + 0.5 * wordy + 0.4 * timed


def _rounds(found: dict[tuple[str, int], list[Meaning]], type_id: str,
            rng: RandomStream) -> list[Meaning]:
    """Return the meanings of a type, one per target in each round."""
    queues = []
    for (found_type, _), meanings in found.items():
        if found_type == type_id:
            keys = [(_preference(m, rng), m) for m in meanings]
            queues.append([m for _, m in sorted(keys, reverse=True)])
    out = []
    while queues:
        for queue in rng.shuffled(queues):
            out.append(queue.pop())
        queues = [q for q in queues if q]
    return out


def make_expressions(facts: Facts, split: str,
                     rng: RandomStream) -> list[Expression]:
    """Make the sentences of a video: a large pool for training, a few for
    validation."""
    evaluator = MeaningEvaluator(facts)
    found = candidates(evaluator, rng)
    anchors = describable(evaluator)
    out: list[Expression] = []
    texts = set()
    for type_id in TYPES:
        count = TRAIN_TEXTS if split == 'train' else VALID_TEXTS[type_id]
        start = len(out)
        meanings = _rounds(found, type_id, rng)
        if split == 'train':  # with two wordings per meaning
            meanings = meanings + meanings
        first_long = rng.integer(2)
        for number, meaning in enumerate(meanings):
            if len(out) - start >= count:
                break
            long = None
            if (number + first_long) % 2:
                long = lengthen(evaluator, meaning, rng)
            text = expression(meaning, long, anchors, rng)
            if text in texts:
                continue
            texts.add(text)
            worded = long or meaning
            out.append(Expression(text, 'long' if long else 'short', worded,
                                  evaluator.oracles(worded)))
    return out
