"""Evaluate predicates on the objects of a video.

The value of a predicate is yes, no or unclear. The values of all objects are a
pair of bit sets, with bit i for object i: ``sure`` holds the objects with
yes, ``maybe`` those with yes or unclear. An expression refers to one object if
``sure == maybe`` has one bit, so expressions whose values are near a threshold
are not used. Lengths are in frame heights.
"""
import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .motions import Path
from .scenes import SIZES, Scene
from .shapes import direction

YES, UNCLEAR, NO = 1, 0, -1
WHENS = ('always', 'start', 'end')
SUPERLATIVES = ('leftmost', 'rightmost', 'topmost', 'bottommost')
REGIONS = ('left', 'right', 'top', 'bottom', 'middle', 'top left',
           'top right', 'bottom left', 'bottom right')
DIRECTIONS = {  # in eighths of a turn, clockwise from right
    'right': 0, 'down right': 1, 'down': 2, 'down left': 3, 'left': 4,
    'up left': 5, 'up': 6, 'up right': 7}
SIDES = ('left', 'right', 'above', 'below')
RELATIONS = (*SIDES, 'behind', 'front', 'follow', 'lead')
# relations that change when time is reversed
MIRRORED = {'follow': 'lead', 'lead': 'follow'}


class Bits(NamedTuple):
    sure: int
    maybe: int

    def intersect(self, other: 'Bits') -> 'Bits':
        return Bits(self.sure & other.sure, self.maybe & other.maybe)

    def join(self, other: 'Bits') -> 'Bits':
        return Bits(self.sure | other.sure, self.maybe | other.maybe)

    @property
    def only(self) -> int | None:
        """The only object that matches, or None if others may match."""
        if self.sure != self.maybe or self.sure.bit_count() != 1:
            return None
        return self.sure.bit_length() - 1


def bits(truths: list[int]) -> Bits:
    return Bits(sum(1 << i for i, a in enumerate(truths) if a == YES),
                sum(1 << i for i, a in enumerate(truths) if a != NO))


def truth(yes: bool, no: bool) -> int:
    """Return YES, NO, or UNCLEAR if neither condition holds."""
    return YES if yes else NO if no else UNCLEAR


class Motion:
    """Measure one path over the frames in which the object exists.

    Args:
        path: of the object.
        visible: (T,) bool, True where any pixel of it is visible.
    """

    def __init__(self, path: Path, visible: np.ndarray) -> None:
        self.present, self.visible = path.present, visible
        points = path.centres[path.present]
        self.scales = path.scales[path.present]
        self.steps = np.diff(points, axis=0)
        self.speeds = np.sqrt((self.steps**2).sum(1))
        self.length = float(self.speeds.sum())
        self.net = points[-1] - points[0]
        self.distance = float(np.sqrt((self.net**2).sum()))
        self.extent = float((points.max(0) - points.min(0)).max())
        self.straight = (self.length > 0.12
                         and self.distance > 0.97 * self.length)
        self.still = self.length < 0.03
        self.moving = self.speeds > 0.15 * max(self.speeds.max(), 1e-3)
        self.turning, self.bending = self._turns()
        self.thickness = self._thickness(points)

    @staticmethod
    def _thickness(points: np.ndarray) -> float:
        """Return the ratio of the spreads across and along the main axis; 0
        for a straight line."""
        x, y = (points - points.mean(0)).T
        xx, yy, xy = (float((a * b).sum()) for a, b in (
            (x, x), (y, y), (x, y)))
        root = math.sqrt((xx - yy)**2 + 4 * xy**2)
        low, high = xx + yy - root, xx + yy + root
        return math.sqrt(max(low, 0.0) / max(high, 1e-12))

    def _turns(self) -> tuple[float, float]:
        """Return the signed (clockwise positive) and the absolute sum of the
        turns between steps, in full turns."""
        steps = self.steps[self.speeds > 1e-3].tolist()
        angles = []
        for (ax, ay), (bx, by) in zip(steps, steps[1:], strict=False):
            angle = math.atan2(ax * by - ay * bx, ax * bx + ay * by)
            if abs(angle) < 3:  # the sign of a reversal is arbitrary
                angles.append(angle / (2 * math.pi))
        return sum(angles), sum(abs(a) for a in angles)

    def still_run(self, at_end: bool) -> float:
        """Return the fraction of steps before the first motion, or after the
        last."""
        moving = self.moving[::-1] if at_end else self.moving
        return float(np.argmax(moving)) / len(moving) if moving.any() else 1.0


def _heads(m: Motion, eighth: int) -> int:
    ahead = np.array(direction(eighth / 8))
    along = m.steps @ ahead
    share = float(m.net @ ahead) / max(m.distance, 1e-6)
    return truth(m.straight and share > 0.97,
                 m.still or float(along[along > 0].sum()) < 0.06
                 or (m.straight and share < 0.8))


def _faster(m: Motion, sign: int) -> int:
    if m.still:
        return NO
    third = max(1, len(m.speeds) // 3)
    ends = m.speeds[:third].mean(), m.speeds[-third:].mean()
    first, last = (max(float(v), 1e-6) for v in ends[::sign])
    ratio = last / first
    waits = max(m.still_run(False), m.still_run(True))
    return truth(m.straight and ratio > 2.2 and waits < 0.2, ratio < 1.25)


def _stops(m: Motion, at_end: bool) -> int:
    if m.still:
        return NO
    run, other = m.still_run(at_end), m.still_run(not at_end)
    switches = int((m.moving[1:] != m.moving[:-1]).sum())
    return truth(
        m.straight and run >= 0.3 and other == 0 and switches == 1, run == 0)


def _round(m: Motion, sign: int | None) -> int:
    if sign is None:
        return truth(abs(m.turning) > 0.75 and m.thickness > 0.5,
                     m.still or m.straight or abs(m.turning) < 0.42)
    return truth(m.turning * sign > 0.75 and m.thickness > 0.5,
                 m.still or m.straight or m.turning * sign < 0.42)


def _zigzag(m: Motion) -> int:
    return truth(
        m.bending > 0.4 and abs(m.turning) < 0.42
        and 0.2 < m.distance < 0.92 * m.length,
        m.still or m.bending < 0.08 or abs(m.turning) > 0.75)


def _bounce(m: Motion) -> int:
    return truth(
        m.extent > 0.15 and m.thickness < 0.05
        and m.length > 1.7 * m.distance and bool(m.moving.mean() > 0.7),
        m.still or m.straight or m.thickness > 0.2)


def _leaves(m: Motion) -> int:
    seen = m.visible
    inner = seen[np.argmax(seen):len(seen) - int(np.argmax(seen[::-1]))]
    return truth(
        bool(m.present.all()) and bool((~inner).sum() >= 2)
        and m.extent > 0.3, bool(inner.all()))


def _axis(m: Motion, axis: int) -> int:
    ranges = np.abs(m.steps).sum(0)
    return truth(
        m.length > 0.25 and m.thickness < 0.05
        and bool(ranges[axis] > 8 * ranges[1 - axis]),
        m.still or (m.thickness < 0.1
                    and bool(ranges[axis] < 1.5 * ranges[1 - axis])))


def _grows(m: Motion, sign: int) -> int:
    ratio = float(m.scales[-1] / m.scales[0])**sign
    return truth(ratio > 1.35, ratio < 1.05)


def _late(m: Motion, at_end: bool) -> int:
    seen = m.visible[::-1] if at_end else m.visible
    first = int(np.argmax(seen))
    inner = bool(seen[first:].all())
    return truth(first >= 0.2 * len(seen) and inner
                 and not bool(m.present.all()), bool(seen[0]))


MotionTest = Callable[[Motion], int]
EXTENT_FACTS: dict[str, MotionTest] = {
    'still': lambda m: truth(m.still and bool(m.present.all()),
                             m.length > 0.15),
    'moves': lambda m: truth(m.length > 0.2, m.still),
    'round': lambda m: _round(m, None),
    'zigzag': _zigzag,
    'bounce': _bounce,
    'leaves': _leaves,
    'straight': lambda m: truth(
        m.straight and m.length > 0.25,
        m.still or m.distance < 0.85 * m.length),
    'horizontal': lambda m: _axis(m, 0),
    'vertical': lambda m: _axis(m, 1),
}
ORDER_FACTS: dict[str, MotionTest] = {
    **{f'heads {name}': (lambda m, e=eighth: _heads(m, e))
       for name, eighth in DIRECTIONS.items()},
    'clockwise': lambda m: _round(m, 1),
    'anticlockwise': lambda m: _round(m, -1),
    'stops': lambda m: _stops(m, True),
    'waits': lambda m: _stops(m, False),
    'faster': lambda m: _faster(m, 1),
    'slower': lambda m: _faster(m, -1),
    'grows': lambda m: _grows(m, 1),
    'shrinks': lambda m: _grows(m, -1),
    'late': lambda m: _late(m, False),
    'early': lambda m: _late(m, True),
}


def motion_facts(motions: list[Motion],
                 table: dict[str, MotionTest]) -> dict[str, Bits]:
    return {name: bits([test(m) for m in motions])
            for name, test in table.items()}


def _share(mask: np.ndarray) -> float:
    return float(mask.mean()) if mask.size else 0.0


class Facts:
    """All predicates of a video.

    Args:
        scene: the objects.
        labels: (T, H, W) uint8, the visible masks.
        amodal_masks: (N, T, H, W) bool, masks without occlusion.
    """

    def __init__(self, scene: Scene, labels: np.ndarray,
                 amodal_masks: np.ndarray) -> None:
        self.scene = scene
        self.count = len(scene.objects)
        self.all = Bits((1 << self.count) - 1, (1 << self.count) - 1)
        areas = np.stack([(labels == i + 1).sum((1, 2))
                          for i in range(self.count)])
        self.amodal_masks = amodal_masks
        self.full = amodal_masks.sum((2, 3))  # (N, T)
        self.areas = areas
        # enough is visible to recognise position and look
        self.visible = areas > 0.3 * np.maximum(self.full, 12)
        self.paths = [o.path for o in scene.objects]
        self.centres = np.stack([p.centres for p in self.paths])  # (N, T, 2)
        self.look = self._look()
        self.region = self._regions()
        seen = areas > 0
        motions = [Motion(p, s)
                   for p, s in zip(self.paths, seen, strict=True)]
        self.extent = motion_facts(motions, EXTENT_FACTS)
        self.order = motion_facts(motions, ORDER_FACTS)
        self.order_reversed = motion_facts(
            [Motion(p.reversed(), s[::-1])
             for p, s in zip(self.paths, seen, strict=True)], ORDER_FACTS)
        self.common = self._common()
        self.relation = {
            (name, anchor): bits([
                self._relate(name, i, anchor) if i != anchor else NO
                for i in range(self.count)])
            for name in RELATIONS for anchor in range(self.count)}
        self.superlative = lru_cache(maxsize=None)(self._superlative)

    def same_look(self, a: int, b: int) -> bool:
        return self.scene.objects[a].look == self.scene.objects[b].look

    # ---- one frame
    def _look(self) -> dict[str, Bits]:
        objects = self.scene.objects
        words = sorted({w for o in objects for w in o.look.words})
        steady = [float(o.path.scales.max() / o.path.scales.min()) < 1.03
                  for o in objects]
        out = {}
        for word in words:
            out[word] = bits([
                UNCLEAR if not ok and word in SIZES else
                YES if word in o.look.words else NO
                for o, ok in zip(objects, steady, strict=True)])
        return out

    def _frames(self, when: str) -> slice:
        return {'always': slice(None), 'start': slice(0, 1),
                'end': slice(-1, None)}[when]

    def _regions(self) -> dict[tuple[str, str], Bits]:
        x = self.centres[..., 0] / self.scene.aspect
        y = self.centres[..., 1]
        yes = {'left': x < 0.4, 'right': x > 0.6, 'top': y < 0.4,
               'bottom': y > 0.6,
               'middle': (abs(x - 0.5) < 0.12) & (abs(y - 0.5) < 0.16)}
        no = {'left': x > 0.48, 'right': x < 0.52, 'top': y > 0.48,
              'bottom': y < 0.52,
              'middle': (abs(x - 0.5) > 0.2) | (abs(y - 0.5) > 0.25)}
        for corner in REGIONS[5:]:
            a, b = corner.split()
            yes[corner] = yes[a] & yes[b]
            no[corner] = no[a] | no[b]
        out = {}
        for when in WHENS:
            part = self._frames(when)
            for name in REGIONS:
                truths = []
                for i in range(self.count):
                    seen = self.visible[i, part]
                    truths.append(truth(
                        bool(seen.any() and yes[name][i, part][seen].all()),
                        bool(seen.any() and no[name][i, part][seen].all())))
                out[name, when] = bits(truths)
        return out

    def _superlative(self, name: str, when: str, among: int) -> Bits:
        """Return, for example, the leftmost object of a bit set.

        The value is unclear for two objects that are never visible together.
        Objects outside of the set have the value no.
        """
        axis, sign = {'leftmost': (0, 1), 'rightmost': (0, -1),
                      'topmost': (1, 1), 'bottommost': (1, -1)}[name]
        part = self._frames(when)
        members = [i for i in range(self.count) if among >> i & 1]
        truths = [NO] * self.count
        for i in members:
            results = [YES]
            for j in members:
                if i == j:
                    continue
                both = self.visible[i, part] & self.visible[j, part]
                ahead = sign * (self.centres[j, part, axis]
                                - self.centres[i, part, axis])[both]
                results.append(truth(bool(both.any() and (ahead > .08).all()),
                                     bool(both.any()
                                          and (ahead < -.08).all())))
            truths[i] = NO if NO in results else min(results)
        return bits(truths)

    # ---- two objects
    def _common(self) -> np.ndarray:
        """Count the pixels that two amodal masks share, (N, N, T)."""
        out = np.zeros((self.count, *self.full.shape), dtype=int)
        for i in range(self.count):
            for j in range(i):
                both = self.amodal_masks[i] & self.amodal_masks[j]
                if both.any():
                    out[i, j] = out[j, i] = both.sum((1, 2))
        return out

    def _relate(self, name: str, i: int, anchor: int) -> int:
        both = self.visible[i] & self.visible[anchor]
        if both.mean() < 0.4:
            return UNCLEAR
        if name in ('behind', 'front'):
            return self._overlap(name, i, anchor, both)
        gap = self.centres[anchor] - self.centres[i]
        a, b = self.scene.objects[i], self.scene.objects[anchor]
        reach = a.look.outer + b.look.outer
        if name in ('follow', 'lead'):
            return self._convoy(name, gap, both, i, anchor, reach)
        axis, sign = {'left': (0, 1), 'right': (0, -1), 'above': (1, 1),
                      'below': (1, -1)}[name]
        ahead, aside = sign * gap[both, axis], abs(gap[both, 1 - axis])
        yes = ((ahead > 0.55 * reach) & (ahead < reach + 0.12)
               & (aside < 0.3 * reach))
        maybe = (ahead > 0.2 * reach) & (ahead < reach + 0.4) & (
            aside < ahead)
        return truth(_share(yes) >= 0.85, _share(maybe) <= 0.1)

    def _overlap(self, name: str, i: int, anchor: int,
                 both: np.ndarray) -> int:
        objects = self.scene.objects
        nearer = objects[i].depth > objects[anchor].depth
        if nearer != (name == 'front'):
            return NO
        smaller = np.minimum(self.full[i], self.full[anchor])
        share = (self.common[i, anchor] / np.maximum(smaller, 1))[both]
        return truth(_share(share > 0.08) >= 0.8, _share(share > 0) <= 0.1)

    def _convoy(self, name: str, gap: np.ndarray, both: np.ndarray, i: int,
                anchor: int, reach: float) -> int:
        mine, other = (np.diff(self.centres[k], axis=0) for k in (i, anchor))
        my_speed = np.sqrt((mine**2).sum(1))
        speed = np.sqrt((other**2).sum(1))
        if speed.sum() < 0.2 or my_speed.sum() < 0.2:
            return NO if min(speed.sum(), my_speed.sum()) < 0.05 else UNCLEAR
        use = both[1:] & both[:-1] & (speed > 0.2 * speed.max())
        if not use.any():
            return UNCLEAR
        ahead = (gap[1:] * other).sum(1)[use] / speed[use]
        ahead = ahead if name == 'follow' else -ahead
        distance = np.sqrt((gap[1:]**2).sum(1))[use]
        same = (mine * other).sum(1)[use] > 0.9 * (my_speed * speed)[use]
        near = distance < reach + 0.16
        yes = same & near & (ahead > 0.9 * distance)
        maybe = same & (distance < reach + 0.5) & (ahead > 0)
        return truth(_share(yes) >= 0.85, _share(maybe) <= 0.1)
