import random
import re
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmrvos.registry import TRANSFORMS

ORDER_WORDS = ('first', 'last', 'start', 'end', 'late', 'early', 'then',
               'clockwise', 'anticlockwise', 'counterclockwise', 'left',
               'right', 'up', 'down', 'leftwards', 'rightwards', 'upwards',
               'downwards')


@TRANSFORMS.register_module()
class ClipReverse(BaseTransform):
    """Play the clip backwards if no sentence depends on the order of frames.

    A clip is reversed only if every one of its sentences has one of the
    given types and none of the given words: "the circle that stays still"
    stays true, "the circle that moves left" does not. Use it after
    ``SampleExpressions`` and before ``PackRVOSInputs``.

    Required keys: ``frames``, ``frame_inds``, ``expressions``.

    Modified keys: ``frames``, ``frame_inds``; ``masks``, ``boxes``,
    ``valid``, ``valid_index`` if there.

    Args:
        prob: of reversing a clip that may be reversed.
        types: values of ``type_id`` whose sentences may be true of the
            reversed clip; None for all.
        words: a sentence with one of these words is never reversed.
    """

    def __init__(self,
                 prob: float = 0.5,
                 types: Sequence[str] | None = None,
                 words: Sequence[str] = ORDER_WORDS) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(
                f'ClipReverse got prob={prob}, expected a number from 0 to 1')
        self.prob = prob
        self.types = None if types is None else tuple(types)
        self.words = tuple(words)
        self._words = set(words)

    @cache_randomness
    def is_applied(self) -> bool:
        return random.random() < self.prob

    def reversible(self, expression: dict) -> bool:
        """Whether a sentence stays true of the reversed clip."""
        if self.types is not None and (
                expression.get('type_id') not in self.types):
            return False
        return not self._words & set(
            re.findall(r'[a-z]+', expression['text'].lower()))

    def transform(self, results: dict) -> dict:
        if not self.is_applied() or not all(
                map(self.reversible, results['expressions'])):
            return results
        for key, axis in (('frames', 0), ('frame_inds', 0), ('masks', 1),
                          ('boxes', 1), ('valid', 1)):
            if key in results:
                results[key] = np.ascontiguousarray(
                    np.flip(results[key], axis))
        if 'valid_index' in results:
            results['valid_index'] = (
                len(results['frame_inds']) - 1 - results['valid_index'])
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'types={self.types}, words={self.words})')
