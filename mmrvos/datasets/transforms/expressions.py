import random

from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmrvos.registry import TRANSFORMS


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
    """

    def __init__(self, num: int = 4) -> None:
        if num < 1:
            raise ValueError(
                f'SampleExpressions got num={num}, expected at least 1')
        self.num = num

    @cache_randomness
    def draw(self, total: int, num: int) -> list[int]:
        """Distinct positions, in random order."""
        return random.sample(range(total), min(num, total))

    def transform(self, results: dict) -> dict:
        own = results['expressions']
        if len(own) >= self.num:
            picked = [own[i] for i in self.draw(len(own), self.num)]
        else:
            others = results.get('other_expressions', [])
            picked = own + [
                others[i]
                for i in self.draw(len(others), self.num - len(own))
            ]
        results['expressions'] = picked
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num={self.num})'
