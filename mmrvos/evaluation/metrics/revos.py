"""ReVOS and Ref-SAV: J, F and values of single pixels, averaged by type."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.datasets.annotation_files import load_json
from mmrvos.registry import METRICS
from mmrvos.structures import MaskSource
from mmrvos.utils import checked_rle

from ..functional import pixel_accuracy, robustness
from ..missing import Effect, MissingRule
from .base import ground_truth
from .video_metrics import VideoMetric

_ZERO = MissingRule(frame=Effect.ZERO, unusable=Effect.ZERO)
_LEFT_OUT = MissingRule(
    video=Effect.LEFT_OUT,
    expression=Effect.LEFT_OUT,
    frame=Effect.LEFT_OUT,
    unusable=Effect.LEFT_OUT)


@METRICS.register_module()
class ReVOSMetric(VideoMetric):
    """ReVOS: J, F, pixel accuracy A and robustness R.

    Sources: VISA, tools/eval_revos.py and tools/metrics.py; Sa2VA,
    tools/eval/eval_revos.py. All measures are averaged over frames, then over
    the expressions of a row. The total is the mean of the rows 'referring' and
    'reason' (the present one, if there is only one). Hallucinations have a row
    of their own and are not in the total.

    ========= ======================== ========================= ========
    protocol  predicted pixel counts   overlap of n objects is   rounding
    ========= ======================== ========================= ========
    'union'   1                        1                         none
    'visa'    its grey value, or 255   n                         2 digits
    'sa2va'   1                        n                         2 digits
    ========= ======================== ========================= ========

    The protocols differ in A and R (and in the rounding of the percentages of
    an expression before averaging): compare numbers of one protocol only.
    Under 'visa' a marked pixel never equals the target, so A is the share of
    pixels that are background in both. With ``missing='official'`` 'visa' and
    'union' count an expression with a missing frame as 0, 'sa2va' leaves it
    out.

    Args:
        protocol: 'union', 'visa' or 'sa2va'.
        foreground_file: ``mask_dict_foreground.json``, the foreground of every
            video, for R. None derives the same masks from the annotations, as
            the union of all objects of a video.
        kwargs: of :class:`VideoMetric`.
    """

    PROTOCOLS = ('union', 'visa', 'sa2va')
    #: the rows that are averaged, and the mark of expressions that names them
    ROWS = ('referring', 'reason')
    ROW_MARK = 'type_id'
    MEASURES = ('A', 'R')
    default_prefix = 'revos'
    headline = ('J&F', 'J', 'F', 'A', 'R')

    def __init__(self,
                 *,
                 protocol: str = 'union',
                 foreground_file: str | None = None,
                 extras: Sequence[str] = ('target', ),
                 **kwargs: Any) -> None:
        if protocol not in self.PROTOCOLS:
            raise ValueError(
                f'{type(self).__name__} got protocol={protocol!r}, expected '
                f'one of {self.PROTOCOLS}')
        self.protocol = protocol
        super().__init__(extras=extras, **kwargs)
        self.foreground = None if foreground_file is None else (
            ForegroundFile(foreground_file))

    @property
    def official_missing(self) -> MissingRule:
        return _LEFT_OUT if self.protocol == 'sa2va' else _ZERO

    def score(self, sample: dict) -> list[dict | None]:
        pixels = _PixelMeasures(
            sample, ground_truth(sample, type(self).__name__),
            grey=self.protocol == 'visa', overlaps=self.protocol != 'union',
            robust='R' in self.MEASURES, foreground=self._foreground(sample))
        records = self.score_frames(sample, pixels)
        for e, record in enumerate(records):
            if record is not None:
                for name in self.MEASURES:
                    values = pixels.values[name][e]
                    record[name] = values * (not record['failed'])
        return records

    def _foreground(self, sample: dict) -> Sequence[int] | None:
        if self.foreground is None:
            return None
        return self.foreground.areas(
            sample['video_id'], len(sample['frame_names']))

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        parts = [[r for r in records if r[self.ROW_MARK] == name]
                 for name in self.ROWS]
        rows = [self._row(p) for p in parts if p] or [self._row(records)]
        return {
            **{key: float(np.mean([row[key] for row in rows]))
               for key in rows[0]},
            **self.summarise_extras(records)
        }

    def _row(self, records: Sequence[dict]) -> dict[str, float]:
        row = {}
        for name in ('J', 'F', *self.MEASURES):
            values = [100 * float(np.mean(r[name])) for r in records]
            if self.protocol != 'union':
                values = np.round(values, 2)  # as officially
            row[name] = float(np.mean(values))
        return {'J&F': (row['J'] + row['F']) / 2, **row}


@METRICS.register_module()
class RefSAVMetric(ReVOSMetric):
    """Ref-SAV: J, F and pixel accuracy A.

    Source: Sa2VA, tools/eval/eval_ref_sav.py. As :class:`ReVOSMetric` without
    R; the rows are the long and the short expressions. With
    ``missing='official'`` an expression with any fault is left out.

    Args:
        protocol: 'union' or 'sa2va'.
        kwargs: of :class:`VideoMetric`.
    """

    PROTOCOLS = ('union', 'sa2va')
    ROWS = ('long', 'short')
    ROW_MARK = 'length'
    MEASURES = ('A', )
    default_prefix = 'ref_sav'
    headline = ('J&F', 'J', 'F', 'A')
    official_missing = _LEFT_OUT

    def __init__(self,
                 *,
                 protocol: str = 'union',
                 extras: Sequence[str] = (),
                 **kwargs: Any) -> None:
        super().__init__(protocol=protocol, extras=extras, **kwargs)


class _PixelMeasures:
    """A and R of all frames of a sample, filled while it is scored.

    Args:
        sample: the data sample.
        source: its ground truth.
        grey: predicted pixels count their grey value, 255 in bool masks.
        overlaps: a target pixel is the number of objects that cover it.
        robust: whether to measure R.
        foreground: pixels of the foreground per frame; None derives them.

    Attributes:
        values: 'A' and 'R', (E, T) each, 0 where no mask was scored.
    """

    def __init__(self, sample: dict, source: MaskSource, *, grey: bool,
                 overlaps: bool, robust: bool,
                 foreground: Sequence[int] | None) -> None:
        self.obj_ids = sample['obj_ids']
        self.source = source
        self.grey = grey
        self.overlaps = overlaps
        self.robust = robust
        self.foreground = foreground
        shape = len(self.obj_ids), len(sample['frame_names'])
        self.values = dict(A=np.zeros(shape), R=np.zeros(shape))
        self._derived: tuple[int, int] = (-1, 0)  # a frame and its foreground

    def __call__(self, e: int, t: int, pred: np.ndarray,
                 target: np.ndarray) -> None:
        if not self.grey:
            pred = (pred != 0).astype(np.uint8)
        elif pred.dtype == bool:
            pred = np.uint8(255) * pred
        ids = self.obj_ids[e]
        target = target.astype(np.uint8)
        if self.overlaps and len(ids) > 1:
            target = sum(self.source.read([i], t).astype(np.uint8)
                         for i in ids)
        self.values['A'][e, t] = pixel_accuracy(pred, target)
        if self.robust:
            self.values['R'][e, t] = robustness(
                pred, target, self._foreground_area(t))

    def _foreground_area(self, t: int) -> int:
        if self.foreground is not None:
            return self.foreground[t]
        if self._derived[0] != t:
            objects = self.source.objects(t)
            area = np.count_nonzero(self.source.read(objects, t))
            self._derived = t, area
        return self._derived[1]


class ForegroundFile:
    """Areas of ReVOS's ``mask_dict_foreground.json``.

    ``{video: {"masks_rle": [RLE, null or a list of RLEs per frame]}}``; the
    list of RLEs alone, without the dict around it, is taken as well.

    Raises:
        ValueError: the file has another form.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        content = load_json(path)
        if not isinstance(content, dict):
            raise ValueError(
                f'{path} is a {type(content).__name__}, expected '
                '{video: {"masks_rle": [...]}}')
        self._areas = {
            video: self._read(video, value)
            for video, value in content.items()
        }

    def areas(self, video_id: str, num_frames: int) -> Sequence[int]:
        """Pixels of the foreground per frame.

        Raises:
            ValueError: the file lacks the video or frames of it.
        """
        if video_id not in self._areas:
            raise ValueError(
                f'{self.path} does not know video {video_id!r}: it must hold '
                'all videos of the dataset')
        areas = self._areas[video_id]
        if len(areas) < num_frames:
            raise ValueError(
                f'{self.path}: {len(areas)} masks for video {video_id!r}, '
                f'which has {num_frames} frames: both files must be of one '
                'release')
        return areas

    def _read(self, video: str, value: Any) -> list[int]:
        masks = value.get('masks_rle') if isinstance(value, dict) else value
        try:
            return [
                sum(int(mask_utils.area(checked_rle(rle)))
                    for rle in (frame if isinstance(frame, list) else [frame]))
                if frame else 0 for frame in masks
            ]
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(
                f'{self.path}: the masks of video {video!r} cannot be read '
                f'({error}), expected {{"masks_rle": [RLE or null per frame]}}'
            ) from None
