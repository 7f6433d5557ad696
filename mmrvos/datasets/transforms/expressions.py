import random

from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmrvos.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CleanText(BaseTransform):
    """Lower-case the expressions and reduce white space to single blanks.

    The captions of the official training are prepared this way. It is the
    first transform of a data set with ``lower_case=True``; the inferencer
    applies it to the sentences of its user, too.

    Modified keys: ``expressions``; ``other_expressions`` if present.
    """

    def transform(self, results: dict) -> dict:
        for key in ('expressions', 'other_expressions'):
            if key in results:
                results[key] = [
                    dict(e, text=' '.join(e['text'].lower().split()))
                    for e in results[key]
                ]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class SampleExpressions(BaseTransform):
    """Train on several expressions of one clip: its frames are encoded once.

    A training-only aid that any method's config can use, before
    ``LoadClipMasks``. With ``entry='expression'`` the entry's own expression
    stays and others of the video, drawn at random, join it; with
    ``entry='video'`` all are drawn. A video with fewer gives what it has.

    Required keys: ``expressions``; ``other_expressions`` if there.

    Modified keys: ``expressions``.

    Args:
        num: E.
        type_weights: how often each ``type_id`` is drawn, in any unit, however
            many of its expressions a video has; types that are not named are
            never drawn, and a video without any of the named gives None
            (another is taken). None draws from all expressions alike.

    Raises:
        ValueError: ``num`` below 1, or a weight that is not positive.
    """

    def __init__(self,
                 num: int = 4,
                 type_weights: dict[str, float] | None = None) -> None:
        if num < 1:
            raise ValueError(
                f'SampleExpressions got num={num}, expected at least 1')
        if type_weights is not None and not (
                type_weights and min(type_weights.values()) > 0):
            raise ValueError('SampleExpressions got type_weights='
                             f'{type_weights}, expected positive numbers')
        self.num = num
        self.type_weights = type_weights

    @cache_randomness
    def sample(self, types: list[str | None], num: int) -> list[int]:
        """Distinct positions, in random order.

        Args:
            types: of the expressions to draw from.
        """
        if self.type_weights is None:
            return random.sample(range(len(types)), min(num, len(types)))
        pools: dict[str, list[int]] = {}
        for position, name in enumerate(types):
            if name in self.type_weights:
                pools.setdefault(name, []).append(position)
        drawn: list[int] = []
        while pools and len(drawn) < num:
            names = list(pools)
            name, = random.choices(names,
                                   [self.type_weights[n] for n in names])
            pool = pools[name]
            drawn.append(pool.pop(random.randrange(len(pool))))
            if not pool:
                del pools[name]
        return drawn

    def transform(self, results: dict) -> dict | None:
        own = results['expressions']
        if len(own) >= self.num:
            kept, pool = [], own
        else:
            kept, pool = own, results.get('other_expressions', [])
        types = [e.get('type_id') for e in pool]
        picked = kept + [
            pool[i] for i in self.sample(types, self.num - len(kept))
        ]
        if not picked:
            return None
        results['expressions'] = picked
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num={self.num}, '
                f'type_weights={self.type_weights})')
