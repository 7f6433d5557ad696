"""Predictions in the layouts of the benchmarks.

A reader turns an entry of a dataset and the files of its predictions into data
samples, which the metric of the benchmark scores as it scores the samples of a
model.
"""
import json
import math
from abc import ABCMeta, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.datasets.entries import entry_meta
from mmrvos.utils import checked_rle

from ..functional.label_map_sequence import VOID, label_limit
from ..missing import Effect, Fault, MissingRule
from .predictions import PredictionError, PredictionFiles

#: {video id: ids of its expressions} of a dataset
Known = dict[str, list[str]]


class PredictionReader(metaclass=ABCMeta):
    """Predictions of one layout.

    Args:
        known: videos and expressions of the dataset.
        rule: effects of missing predictions, for the messages.

    Attributes:
        unknown: one message per prediction that the dataset does not know.

    Raises:
        PredictionError: there is no prediction for anything in the dataset.
    """

    #: where the predictions of an entry are expected
    layout: str

    def __init__(self, known: Known, rule: MissingRule) -> None:
        self.known = known
        self.rule = rule
        self.unknown: list[str] = []

    def others(self) -> list[str]:
        """One message about files that are no predictions, if any."""
        return []

    @abstractmethod
    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        """Build the data samples of an entry, with masks read on demand.

        Args:
            entry: what the dataset returns.
            problems: receives a line per fault, also while masks are read.

        Yields:
            Dicts that a metric takes in the place of
            :class:`~mmrvos.structures.RVOSDataSample`.

        Raises:
            OSError, ValueError: the ground truth is damaged.
        """


def base_sample(entry: dict, frame_inds: Sequence[int] | None = None) -> dict:
    """A data sample of all frames without predictions."""
    if frame_inds is None:
        frame_inds = range(len(entry['frame_names']))
    return dict(
        entry_meta(entry, frame_inds), mask_source=entry['mask_source'])


class FileReader(PredictionReader):
    """Predictions that are PNGs in a folder or zip."""

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule) -> None:
        super().__init__(known, rule)
        self.files = files
        self.top = self.find_top()
        names, predicted = self.expected(), self.predicted()
        if predicted.isdisjoint(names):
            raise PredictionError(
                f'{files.root}: among its {len(files.paths)} PNGs is none of '
                f'the {len(names)} that the dataset asks for, of which the '
                f'first is {min(names)!r}: expected {self.layout}, in any '
                'folder')
        self.unknown = [f'{name}: unknown to the dataset, not scored'
                        for name in sorted(predicted - names)]

    @abstractmethod
    def find_top(self) -> str:
        """The folder in which the predictions lie."""

    @abstractmethod
    def expected(self) -> set[str]:
        """Names of the predictions that the dataset asks for."""

    @abstractmethod
    def predicted(self) -> set[str]:
        """Names of the predictions that are there."""

    def others(self) -> list[str]:
        others = [path for path in self.files.others
                  if not path.endswith('scores.json')]
        if not others:
            return []
        more = f', nor are {len(others) - 1} more' if others[1:] else ''
        return [f'{others[0]}: not a PNG, ignored{more}']

    def path(self, *parts: str) -> str:
        return '/'.join((self.top, *parts) if self.top else parts)

    def below_top(self, folders: Collection[str]) -> Iterator[str]:
        """Paths relative to the top, of the folders that lie in it."""
        start = f'{self.top}/' if self.top else ''
        for folder in folders:
            if folder.startswith(start) and folder != self.top:
                yield folder[len(start):]


class VideoMaskReader(FileReader):
    """One mask PNG per expression and frame.

    Video ids may contain slashes (ReVOS).

    Args:
        files: the PNGs.
        known, rule: as in :class:`PredictionReader`.
        grey: read PNGs as the official scripts do,
            :meth:`PredictionFiles.grey`.
    """

    layout = '<video>/<expression>/<frame>.png'

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule, grey: bool = False) -> None:
        self.grey = grey
        super().__init__(files, known, rule)
        self.unknown += [
            f'{self.path(video, exp_id)}: an expression unknown to the '
            'dataset, not scored'
            for video, exp_id in sorted(self._pairs())
            if video in known and exp_id not in known[video]
        ]

    def find_top(self) -> str:
        return self.files.find_top(self.known.keys(), depth=2)

    def expected(self) -> set[str]:
        return set(self.known)

    def predicted(self) -> set[str]:
        return {video or exp_id for video, exp_id in self._pairs()}

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for folder in self.below_top(self.files.folders()):
            video, _, exp_id = folder.rpartition('/')
            yield video, exp_id

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        sample = base_sample(entry)
        video, exp_ids = sample['video_id'], sample['exp_ids']
        missing = [not self.files.has_folder(self.path(video, e))
                   for e in exp_ids]
        if all(missing):
            problems.append(
                f'{self.path(video)}: the video is missing: ' +
                self.rule.video.value.replace('the expression',
                                              'each of its expressions'))
        else:
            problems += [
                f'{self.path(video, e)}: the expression is missing: '
                f'{self.rule.expression.value.replace("the expression", "it")}'
                for e, gone in zip(exp_ids, missing, strict=True) if gone
            ]
        size = sample['mask_source'].read((), 0).shape
        masks = [
            None if gone else FrameMasks(
                self, self.path(video, e), sample['frame_names'], size,
                problems) for e, gone in zip(exp_ids, missing, strict=True)
        ]
        sample['pred'] = dict(masks=[
            [None] * len(sample['frame_names']) if m is None else m
            for m in masks
        ])
        yield sample

    def read(self, path: str) -> np.ndarray:
        return self.files.grey(path) if self.grey else self.files.mask(path)


class FrameMasks:
    """The masks of one expression, read when a frame is asked for.

    Args:
        reader: reads the PNGs.
        folder: path of the expression.
        frame_names: T names without extension.
        size: (height, width) of the ground truth.
        problems: receives a line per fault.
    """

    def __init__(self, reader: VideoMaskReader, folder: str,
                 frame_names: Sequence[str], size: tuple[int, int],
                 problems: list[str]) -> None:
        self.reader = reader
        self.folder = folder
        self.frame_names = frame_names
        self.size = size
        self.problems = problems
        needed = reader.rule.needed_frame
        self.unusable = (needed is not None and
                         f'{folder}/{needed}.png' not in reader.files)
        if self.unusable:
            problems.append(
                f'{folder}/{needed}.png: missing, and the official script '
                f'reads the size there: {reader.rule.unusable.value}')

    def __getitem__(self, t: int) -> np.ndarray | Fault:
        if self.unusable:
            return Fault.UNUSABLE
        path = f'{self.folder}/{self.frame_names[t]}.png'
        rule = self.reader.rule
        if path not in self.reader.files:
            return self._fault(f'{path}: missing', Fault.MISSING, rule, t)
        try:
            mask = self.reader.read(path)
            check_size(path, mask.shape, self.size)
        except PredictionError as error:
            return self._fault(str(error), Fault.UNUSABLE, rule, t)
        return mask

    def _fault(self, text: str, fault: Fault, rule: MissingRule,
               t: int) -> Fault:
        self.problems.append(f'{text}: {rule.effect(fault, t).value}')
        return fault


def check_size(path: str, size: tuple[int, ...],
               expected: tuple[int, ...]) -> None:
    """Compare (height, width) with that of the ground truth.

    Raises:
        PredictionError: they differ.
    """
    if tuple(size) != tuple(expected):
        raise PredictionError(
            f'{path}: size {tuple(size)}, the ground truth has '
            f'{tuple(expected)}')


class RLEReader(PredictionReader):
    """One JSON file of masks, as Sa2VA writes it.

    ``{video: {expression: {"prediction_masks": [RLE, one per frame]}}}``. RLEs
    beyond the number of frames are ignored.

    Args:
        path: the file.
        known, rule: as in :class:`PredictionReader`.
    """

    layout = '{video: {expression: {"prediction_masks": [RLE per frame]}}}'

    def __init__(self, path: Path, known: Known, rule: MissingRule) -> None:
        super().__init__(known, rule)
        self.path = path
        self.videos = _load_json(path.read_bytes(), str(path))
        if not isinstance(self.videos, dict) or not all(
                isinstance(v, dict) for v in self.videos.values()):
            raise PredictionError(f'{path}: expected {self.layout}')
        if known.keys().isdisjoint(self.videos):
            raise PredictionError(
                f'{path}: none of its {len(self.videos)} videos is one of '
                f'the {len(known)} that the dataset asks for, of which the '
                f'first is {min(known)!r}: expected {self.layout}')
        for video, expressions in sorted(self.videos.items()):
            if video not in known:
                self.unknown.append(
                    f'{video}: unknown to the dataset, not scored')
                continue
            self.unknown += [
                f'{video}/{e}: an expression unknown to the dataset, not '
                'scored' for e in sorted(expressions)
                if e not in known[video]
            ]

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        sample = base_sample(entry)
        video = sample['video_id']
        size = sample['mask_source'].read((), 0).shape
        found = self.videos.get(video)
        if found is None:
            problems.append(
                f'{video}: the video is missing: ' +
                self.rule.video.value.replace('the expression',
                                              'each of its expressions'))
        sample['pred'] = dict(masks=[
            self._masks(f'{video}/{e}', (found or {}).get(e), size,
                        len(sample['frame_names']),
                        problems if found is not None else [])
            for e in sample['exp_ids']
        ])
        yield sample

    def _masks(self, name: str, prediction: Any, size: tuple[int, int],
               num_frames: int, problems: list[str]) -> list[dict | Fault]:
        rles = (prediction.get('prediction_masks')
                if isinstance(prediction, dict) else None)
        if not isinstance(rles, list):
            problems.append(
                f'{name}: the expression is missing: '
                f'{self.rule.expression.value.replace("the expression", "it")}'
            )
            return [Fault.MISSING] * num_frames
        masks: list[dict | Fault] = []
        for t in range(num_frames):
            place = f'{name}, frame {t}'
            fault = Fault.UNUSABLE
            try:
                if t >= len(rles):
                    fault = Fault.MISSING
                    raise PredictionError(f'{place}: missing')
                masks.append(_rle(place, rles[t], size))
            except PredictionError as error:
                problems.append(
                    f'{error}: {self.rule.effect(fault, t).value}')
                masks.append(fault)
        return masks


def _rle(place: str, rle: Any, size: tuple[int, int]) -> dict:
    """A checked RLE of the size of the ground truth."""
    try:
        rle = checked_rle(rle)
    except ValueError as error:
        raise PredictionError(f'{place}: {error}') from None
    check_size(place, rle['size'], size)
    return rle


class LabelMapReader(FileReader):
    """DAVIS label maps: ``anno_<a>/<video>/<frame>.png`` for the results of
    several annotators, or ``<video>/<frame>.png`` for one.

    Args:
        files: the PNGs.
        known, rule: as in :class:`PredictionReader`.
        protocol: see :mod:`mmrvos.evaluation.functional.label_map_sequence`.
    """

    layout = '[anno_<a>/]<video>/<frame>.png'

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule, protocol: str) -> None:
        self.protocol = protocol
        super().__init__(files, known, rule)

    def find_top(self) -> str:
        top = self.files.find_top(self.known.keys(), depth=1)
        folder, _, last = top.rpartition('/')
        self.annotators = ['']
        if last.startswith('anno_'):
            top = folder
            self.annotators = sorted(
                n for n in self.files.children(folder)
                if n.startswith('anno_'))
        return top

    def expected(self) -> set[str]:
        return set(self.known)

    def predicted(self) -> set[str]:
        names = set()
        for folder in self.below_top(self.files.folders()):
            annotator, _, video = folder.partition('/')
            names.add(folder if self.annotators == [''] else
                      video if annotator in self.annotators else folder)
        return names

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        source, names = entry['mask_source'], entry['frame_names']
        first = source.label_map(0)
        num_objects = int(first[first != VOID].max(initial=0))
        limit = label_limit(self.protocol, num_objects)
        for a, annotator in enumerate(self.annotators):
            folder = '/'.join(filter(None, (annotator, entry['video_id'])))
            folder = self.path(folder)
            if not self.files.has_folder(folder):
                problems.append(
                    f'{folder}: the video is missing: it counts 0')
                maps = [Fault.MISSING] * len(names)
            else:
                maps = LabelMaps(self.files, folder, names, first.shape,
                                 limit, problems)
            ids = [str(i + 1) for i in range(num_objects)]
            yield dict(
                video_id=entry['video_id'],
                frame_names=names,
                exp_ids=['/'.join(filter(None, (annotator, i))) for i in ids],
                obj_ids=[[i] for i in ids],
                type_ids=[None] * num_objects,
                lengths=[None] * num_objects,
                annotator=a,
                mask_source=source,
                pred=dict(label_maps=maps))


class LabelMaps:
    """The label maps of one video, read when a frame is asked for.

    Args:
        files: the PNGs.
        folder: path of the video.
        frame_names: T names without extension.
        size: (height, width) of the ground truth.
        limit: the largest label that the protocol takes.
        problems: receives a line per fault.
    """

    def __init__(self, files: PredictionFiles, folder: str,
                 frame_names: Sequence[str], size: tuple[int, int],
                 limit: int, problems: list[str]) -> None:
        self.files = files
        self.folder = folder
        self.frame_names = frame_names
        self.size = size
        self.limit = limit
        self.problems = problems

    def __getitem__(self, t: int) -> np.ndarray | Fault:
        path = f'{self.folder}/{self.frame_names[t]}.png'
        try:
            labels = self.files.labels(path)
            check_size(path, labels.shape, self.size)
            largest = int(labels.max(initial=0))
            if largest > self.limit:
                raise PredictionError(
                    f'{path}: label {largest}, the protocol takes labels up '
                    f'to {self.limit}')
        except PredictionError as error:
            self.problems.append(f'{error}: {Effect.ZERO_FRAME.value}')
            return Fault.UNUSABLE
        return labels


class CandidateReader(FileReader):
    """Masks of single frames (A2D- and JHMDB-Sentences).

    ``<image id>.png``, or ``<image id>/<k>.png`` for several candidates that
    are ranked by ``scores.json`` beside them: {image id: score or list of
    scores}.

    An image id is the ``exp_id`` of the dataset.
    """

    layout = '<image id>.png or <image id>/<k>.png'

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule) -> None:
        super().__init__(files, known, rule)
        self.scores: dict[str, Any] = {}
        path = self.path('scores.json')
        if path in files:
            self.scores = _load_json(files.read(path), path)
            if not isinstance(self.scores, dict):
                raise PredictionError(
                    f'{path}: expected {{image id: [score, ...]}}')
        self.unknown += [
            f'{path}: {name} is unknown to the dataset, not scored'
            for name in sorted(self.scores.keys() - self.expected())
        ]

    def find_top(self) -> str:
        names = self.expected()
        # A mask per image and several masks per image may be mixed.
        tops = [self.files.find_top(names, depth) for depth in (0, 1)]
        return next((top for top in tops if top), '')

    def expected(self) -> set[str]:
        return {exp_id for ids in self.known.values() for exp_id in ids}

    def predicted(self) -> set[str]:
        self.candidates: dict[str, list[str]] = {}
        start = len(self.path(''))
        for path in self.files.paths:
            if path.startswith(self.path('')):
                name = path[start:].partition('/')[0]
                self.candidates.setdefault(
                    name.removesuffix('.png'), []).append(path)
        for paths in self.candidates.values():
            paths.sort(key=_number)
        return set(self.candidates)

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
            pred = sample['pred']
            pred['masks'] = [[Fault.MISSING if rles is None else rles[0]]
                             for rles in pred['query_masks']]
            yield sample


def _load_json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PredictionError(f'{name}: no valid JSON ({error})') from None


def _is_finite(score: Any) -> bool:
    return (isinstance(score, (int, float)) and not isinstance(score, bool)
            and math.isfinite(score))


def _number(path: str) -> tuple[int, str]:
    """Sort key: 10.png comes after 9.png."""
    stem = path.rsplit('/', 1)[-1].removesuffix('.png')
    return (int(stem) if stem.isdigit() else -1, stem)
