"""Predictions of single frames."""
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from ...missing import Fault, MissingRule
from ..predictions import PredictionError, PredictionFiles
from .base import FileReader, Known, base_sample, check_size, parse_predictions


class CandidateReader(FileReader):
    """Ranked masks of single frames (A2D- and JHMDB-Sentences).

    ``<image id>.png``, or ``<image id>/<k>.png`` for several candidates that
    are ranked by ``scores.json`` beside them: {image id: score or list of
    scores}. An image id is the ``exp_id`` of the dataset.

    Args:
        files: the PNGs.
        known: expressions of the dataset.
        rule: effects of missing predictions; a sample without counts 0.
    """

    layout = '<image id>.png or <image id>/<k>.png'

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule) -> None:
        names = {exp_id for ids in known.values() for exp_id in ids}
        # one mask or several masks per image, or both mixed
        tops = [files.find_top(names, depth) for depth in (0, 1)]
        super().__init__(
            files, known, rule, next((top for top in tops if top), ''))
        self.candidates = self._find_candidates()
        self.check_names(names, set(self.candidates))
        self.scores = self._read_scores()
        self.unknown += [
            f'{self.path("scores.json")}: {name} is unknown to the dataset, '
            'not scored' for name in sorted(self.scores.keys() - names)
        ]

    def _find_candidates(self) -> dict[str, list[str]]:
        """{image id: paths of its masks, in the order of k}."""
        candidates: dict[str, list[str]] = {}
        start = self.path('')
        for path in self.files.paths:
            if path.startswith(start):
                name = path[len(start):].partition('/')[0]
                candidates.setdefault(
                    name.removesuffix('.png'), []).append(path)
        for paths in candidates.values():
            paths.sort(key=_number)
        return candidates

    def _read_scores(self) -> dict[str, Any]:
        path = self.path('scores.json')
        if path not in self.files:
            return {}
        scores = parse_predictions(self.files.read(path), path)
        if not isinstance(scores, dict):
            raise PredictionError(
                f'{path}: expected {{image id: [score, ...]}}')
        return scores

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        frame = entry['key_frame']
        sample = dict(base_sample(entry), valid_index=frame)
        size = sample['mask_source'].read(sample['obj_ids'][0], frame).shape
        ranked = []
        for image_id in sample['exp_ids']:
            try:
                ranked.append(self.rank(image_id, size))
            except PredictionError as error:
                problems.append(f'{error}: the sample counts 0')
                ranked.append((None, None))
        masks, scores = zip(*ranked, strict=True)
        sample['pred'] = dict(query_masks=masks, query_scores=scores)
        yield sample

    def rank(self, image_id: str,
             size: tuple[int, int]) -> tuple[list[dict], list[float]]:
        """The candidates of a sample as RLEs, and their scores.

        Raises:
            PredictionError: a file or score cannot be used.
        """
        paths = self.candidates.get(image_id)
        name = self.path(image_id)
        if not paths:
            raise PredictionError(f'{name}: the prediction is missing')
        scores = self.scores.get(image_id)
        if scores is None:
            if len(paths) > 1:
                raise PredictionError(
                    f'{name}: {len(paths)} candidates and no scores.json that '
                    'ranks them')
            scores = [1.0]
        scores = scores if isinstance(scores, list) else [scores]
        if len(scores) != len(paths) or not all(map(_is_finite, scores)):
            raise PredictionError(
                f'{name}: {len(paths)} masks with the scores {scores}, '
                'expected one finite number per mask')
        rles = []
        for path in paths:
            mask = self.files.mask(path)
            check_size(path, mask.shape, size)
            rles.append(
                mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8)))
        return rles, scores


class ImageReader(CandidateReader):
    """One mask per image: ``<image id>.png`` (RefCOCO)."""

    layout = '<image id>.png'

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        for sample in super().samples(entry, problems):
            masks = sample['pred']['query_masks']
            yield dict(sample, pred=dict(masks=[
                [Fault.MISSING if rles is None else rles[0]] for rles in masks
            ]))


def _is_finite(score: Any) -> bool:
    return (isinstance(score, (int, float)) and not isinstance(score, bool)
            and math.isfinite(score))


def _number(path: str) -> tuple[int, str]:
    """Sort key that compares numbers by value: 9.png before 10.png."""
    stem = path.rsplit('/', 1)[-1].removesuffix('.png')
    return (int(stem) if stem.isdigit() else -1, stem)
