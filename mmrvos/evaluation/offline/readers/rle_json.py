from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmrvos.utils import MAX_ANNOTATION_BYTES, check_file, checked_rle

from ...missing import Fault, MissingRule
from ..predictions import PredictionError
from .base import (
    Known,
    PredictionReader,
    base_sample,
    check_size,
    parse_predictions,
)


class RLEReader(PredictionReader):
    """One JSON file of masks, as Sa2VA and InterRVOS write it.

    RLEs beyond the number of frames are ignored.

    Args:
        path: the file.
        known: videos and expressions of the dataset.
        rule: effects of missing predictions.
        key: of the masks of an expression.

    Raises:
        PredictionError: the file has another form, or no video of the
            dataset.
        ValueError: the path is not an ordinary file.
    """

    def __init__(self, path: Path, known: Known, rule: MissingRule,
                 key: str = 'prediction_masks') -> None:
        super().__init__(known, rule)
        self.key = key
        self.layout = (
            f'{{video: {{expression: {{"{key}": [RLE per frame]}}}}}}')
        check_file(path, MAX_ANNOTATION_BYTES)
        self.videos = parse_predictions(path.read_bytes(), str(path))
        if not isinstance(self.videos, dict) or not all(
                isinstance(v, dict) for v in self.videos.values()):
            raise PredictionError(f'{path}: expected {self.layout}')
        if known.keys().isdisjoint(self.videos):
            raise PredictionError(
                f'{path}: none of its {len(self.videos)} videos is one of '
                f'the {len(known)} that the dataset expects, of which the '
                f'first is {min(known)!r}: expected {self.layout}')
        for video, expressions in sorted(self.videos.items()):
            if video not in known:
                self.unknown.append(
                    f'{video}: unknown to the dataset, not scored')
                continue
            self.unknown += [
                f'{video}/{e}: an expression unknown to the dataset, not '
                'scored' for e in sorted(set(expressions) - set(known[video]))
            ]

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        sample = base_sample(entry)
        video, exp_ids = sample['video_id'], sample['exp_ids']
        size = sample['mask_source'].read((), 0).shape
        num_frames = len(sample['frame_names'])
        predictions = [self._rles(self.videos.get(video, {}).get(e))
                       for e in exp_ids]
        if all(rles is None for rles in predictions):
            problems.append(self.video_missing(video))
            masks = [[Fault.MISSING] * num_frames for _ in exp_ids]
        else:
            masks = [
                self._masks(f'{video}/{e}', rles, size, num_frames, problems)
                for e, rles in zip(exp_ids, predictions, strict=True)
            ]
        sample['pred'] = dict(masks=masks)
        yield sample

    def _masks(self, name: str, rles: list | None, size: tuple[int, int],
               num_frames: int, problems: list[str]) -> list[dict | Fault]:
        """One checked RLE or fault per frame; RLEs are decoded when scored."""
        if rles is None:
            problems.append(self.expression_missing(name))
            return [Fault.MISSING] * num_frames
        masks: list[dict | Fault] = []
        for t in range(num_frames):
            place = f'{name}, frame {t}'
            if t >= len(rles):
                fault, text = Fault.MISSING, f'{place}: missing'
            else:
                try:
                    rle = checked_rle(rles[t])
                    check_size(place, rle['size'], size)
                    masks.append(rle)
                    continue
                except PredictionError as error:
                    fault, text = Fault.UNUSABLE, str(error)
                except ValueError as error:
                    fault, text = Fault.UNUSABLE, f'{place}: {error}'
            problems.append(f'{text}: {self.rule.effect(fault, t).value}')
            masks.append(fault)
        return masks

    def _rles(self, prediction: Any) -> list | None:
        """The masks of an expression; None if there are none."""
        if isinstance(prediction, dict):
            rles = prediction.get(self.key)
            return rles if isinstance(rles, list) else None
        return None
