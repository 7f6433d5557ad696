"""Scores predictions on disk, video by video, in one or more processes.

A bad file never ends the evaluation: it is reported, and counts 0, as a
missing one does. What a task returns are the records of the benchmark's
MMEngine metric, which makes the numbers of both the same.
"""
import json
import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from ..functional import (
    LabelMapSequence,
    ObjectValues,
    RankedSample,
    rank_masks,
)
from ..video_scores import score_video
from .ground_truth import (
    FrameTask,
    GroundTruthError,
    LabelMapTask,
    VideoTask,
)
from .predictions import PredictionError, PredictionFiles


@dataclass
class Scored:
    """What came of one task; no records at all if it is left out."""
    records: list[dict]
    problems: list[str] = field(default_factory=list)
    left_out: bool = False


class Scorer:
    """Scores tasks of one kind; to be picklable, it is a class.

    Args:
        files: the predictions.
        tasks: what there is to score.

    Raises:
        GroundTruthError: there is no task.
        PredictionError: there is nothing for any of the tasks.
    """

    #: where the PNGs of a task belong
    layout: str

    def __init__(self, files: PredictionFiles, tasks: Sequence) -> None:
        self.files = files
        self.tasks = list(tasks)
        if not self.tasks:
            raise GroundTruthError('the ground truth holds nothing to score')
        names = {task.video_id for task in self.tasks}
        self.top = self.find_top(names)
        predicted = self.predicted()
        if names.isdisjoint(predicted):
            raise PredictionError(
                f'{files.root}: among its {len(files.paths)} PNGs is none of '
                f'the {len(names)} that the data set asks for, of which the '
                f'first is {min(names)!r}: expected {self.layout}, in any '
                'folder')
        self.unknown = sorted(predicted - names)

    def find_top(self, names: set[str]) -> str:
        return self.files.find_top(names)

    def predicted(self) -> set[str]:
        """Names of the videos or frames that there are predictions for."""
        return self.files.children(self.top)

    def path(self, *parts: str) -> str:
        return '/'.join((self.top, *parts) if self.top else parts)

    def __call__(self, index: int) -> Scored:
        """Score the task of that index."""
        task = self.tasks[index]
        try:
            return self.score(task)
        except (OSError, ValueError) as error:
            return Scored([], [
                f'{task.video_id}: left out, its ground truth is broken: '
                f'{error}'
            ], left_out=True)

    def score(self, task: Any) -> Scored:
        raise NotImplementedError

    def read_labels(self, path: str, size: tuple[int, int],
                    problems: list[str]) -> np.ndarray | None:
        """A label map of the right size, or None and a problem."""
        try:
            return checked_labels(self.files, path, size)
        except PredictionError as error:
            problems.append(f'{error}: the frame counts 0')
            return None


class VideoScorer(Scorer):
    """One mask PNG per expression and frame; all but 0 is foreground."""

    layout = '<video>/<expression>/<frame>.png'

    def score(self, task: VideoTask) -> Scored:
        problems = [
            f'{self.path(task.video_id, e)}: an expression unknown to the '
            'data set, not scored'
            for e in sorted(self.files.children(self.path(task.video_id))
                            - set(task.exp_ids))
        ]
        size = task.mask_source.read((), 0).shape
        missing = [not self.files.has_folder(self.path(task.video_id, e))
                   for e in task.exp_ids]
        if missing and all(missing):
            problems.append(f'{self.path(task.video_id)}: the video is '
                            'missing, its expressions count 0')
        else:
            problems += [
                f'{self.path(task.video_id, e)}: the expression is missing, '
                'it counts 0'
                for e, gone in zip(task.exp_ids, missing, strict=True) if gone
            ]

        def read_pred(e: int, t: int) -> np.ndarray | None:
            if missing[e]:
                return None
            path = self.path(task.video_id, task.exp_ids[e],
                             f'{task.frame_names[t]}.png')
            return self.read_labels(path, size, problems)

        scores = score_video(task.targets, task.mask_source,
                             len(task.frame_names), read_pred)
        return Scored([
            dict(
                video_id=task.video_id,
                exp_id=task.exp_ids[e],
                type_id=task.type_ids[e],
                length=task.lengths[e],
                has_target=bool(task.targets[e]),
                **score) for e, score in enumerate(scores)
        ], problems)


def checked_labels(files: PredictionFiles, path: str,
                   size: tuple[int, int]) -> np.ndarray:
    labels = files.labels(path)
    if labels.shape != size:
        raise PredictionError(
            f'{path}: size {labels.shape}, the ground truth has {size}')
    return labels


class LabelMapScorer(Scorer):
    """DAVIS label maps: ``anno_<a>/<video>/<frame>.png`` for the results of
    several annotators, or ``<video>/<frame>.png`` for one.

    Args:
        protocol: see :mod:`..functional.label_map_sequence`.
    """

    layout = '[anno_<a>/]<video>/<frame>.png'

    def __init__(self, files: PredictionFiles, tasks: Sequence[LabelMapTask],
                 protocol: str) -> None:
        self.protocol = protocol
        super().__init__(files, tasks)

    def find_top(self, names: set[str]) -> str:
        top = super().find_top(names)
        folder, _, last = top.rpartition('/')
        self.annotators = ['']
        if last.startswith('anno_'):
            top = folder
            self.annotators = sorted(
                n for n in self.files.children(folder)
                if n.startswith('anno_'))
        return top

    def predicted(self) -> set[str]:
        return set().union(*(self.files.children(self.path(a) if a else
                                                 self.top)
                             for a in self.annotators))

    def score(self, task: LabelMapTask) -> Scored:
        first = task.mask_source.label_map(0)
        num_objects = int(first[first != 255].max(initial=0))
        scored = Scored([])
        if num_objects:
            for a, folder in enumerate(self.annotators):
                scored.records += self.score_annotator(
                    task, a, [folder] if folder else [], num_objects,
                    scored.problems)
        return scored

    def score_annotator(self, task: LabelMapTask, annotator: int,
                        folder: list[str], num_objects: int,
                        problems: list[str]) -> list[dict]:
        sequence = LabelMapSequence(num_objects, self.protocol)
        where = self.path(*folder, task.video_id)
        missing = not self.files.has_folder(where)
        if missing:
            problems.append(f'{where}: the video is missing, it counts 0')
        for t, frame in enumerate(task.frame_names):
            gt = task.mask_source.label_map(t)
            path = f'{where}/{frame}.png'
            pred = None if missing else self.read_labels(
                path, gt.shape, problems)
            try:
                sequence.add(pred, gt)
            except ValueError as error:
                problems.append(f'{path}: {error}: the frame counts 0')
                sequence.add(None, gt)
        return [
            dict(
                video_id=task.video_id,
                exp_id='/'.join((*folder, str(values.gt_label))),
                type_id=None,
                length=None,
                annotator=annotator,
                object=values)
            for values in sorted(sequence.objects(), key=_gt_label)
        ]


def _gt_label(values: ObjectValues) -> int:
    return values.gt_label


class FrameScorer(Scorer):
    """``<image id>.png``, or ``<image id>/<k>.png`` for candidates that
    compete, with ``scores.json`` beside them: {image id: score or list of
    scores}."""

    layout = '<image id>.png or <image id>/<k>.png'

    def __init__(self, files: PredictionFiles,
                 tasks: Sequence[FrameTask]) -> None:
        super().__init__(files, tasks)
        self.scores: dict[str, Any] = {}
        path = self.path('scores.json')
        if path in files:
            try:
                self.scores = json.loads(files.read(path))
            except ValueError as error:
                raise PredictionError(
                    f'{path}: no valid JSON ({error})') from None
            if not isinstance(self.scores, dict):
                raise PredictionError(
                    f'{path}: expected {{image id: [score, ...]}}')
        self.unknown += sorted(self.scores.keys() -
                               {t.video_id for t in self.tasks})
        self.candidates: dict[str, list[str]] = {}
        start = len(self.path(''))
        for path in files.paths:
            if path.startswith(self.path('')):
                name = path[start:].partition('/')[0]
                self.candidates.setdefault(
                    name.removesuffix('.png'), []).append(path)
        for paths in self.candidates.values():
            paths.sort(key=_number)

    def score(self, task: FrameTask) -> Scored:
        problems: list[str] = []
        ranked = None
        try:
            ranked = self.rank(task)
        except PredictionError as error:
            problems.append(f'{error}: the sample counts 0')
        if ranked is None:
            ranked = RankedSample(
                scores=np.zeros(1),
                ious=np.zeros(1),
                intersections=np.zeros(1, dtype=np.int64),
                areas=np.zeros(1, dtype=np.int64),
                gt_area=int(mask_utils.area(task.rle)))
        return Scored([
            dict(
                video_id=task.video_id,
                exp_id='0',
                type_id=None,
                length=None,
                ranked=ranked)
        ], problems)

    def rank(self, task: FrameTask) -> RankedSample:
        paths = self.candidates.get(task.video_id)
        if not paths:
            raise PredictionError(
                f'{self.path(task.video_id)}: the prediction is missing')
        scores = self.scores.get(task.video_id)
        if scores is None:
            if len(paths) > 1:
                raise PredictionError(
                    f'{self.path(task.video_id)}: {len(paths)} candidates and '
                    'no scores.json that ranks them')
            scores = [1.0]
        scores = scores if isinstance(scores, list) else [scores]
        if len(scores) != len(paths) or not all(map(_is_finite, scores)):
            raise PredictionError(
                f'{self.path(task.video_id)}: {len(paths)} masks with the '
                f'scores {scores}, expected one finite number for each')
        size = tuple(task.rle['size'])
        rles = [
            mask_utils.encode(
                np.asfortranarray(
                    checked_labels(self.files, path, size) > 0,
                    dtype=np.uint8)) for path in paths
        ]
        return rank_masks(rles, scores, task.rle)


def _is_finite(score: Any) -> bool:
    return (isinstance(score, (int, float)) and not isinstance(score, bool)
            and math.isfinite(score))


def _number(path: str) -> tuple[int, str]:
    """10.png comes after 9.png."""
    stem = path.rsplit('/', 1)[-1].removesuffix('.png')
    return (int(stem) if stem.isdigit() else -1, stem)


_SCORER: Scorer | None = None


def _start_worker(scorer: Scorer) -> None:
    global _SCORER
    _SCORER = scorer


def _run(index: int) -> tuple[int, Scored]:
    return index, _SCORER(index)


def score_all(scorer: Scorer,
              workers: int = 1,
              on_done: Callable[[], None] = lambda: None) -> Iterator[Scored]:
    """All tasks' results, in order of the tasks.

    Args:
        scorer: knows the tasks.
        workers: processes.
        on_done: called after each task.
    """
    count = len(scorer.tasks)
    if workers == 1:
        for index in range(count):
            yield scorer(index)
            on_done()
        return
    waiting: dict[int, Scored] = {}
    with multiprocessing.Pool(workers, _start_worker, (scorer, )) as pool:
        upcoming = 0
        for index, scored in pool.imap_unordered(_run, range(count)):
            waiting[index] = scored
            on_done()
            while upcoming in waiting:
                yield waiting.pop(upcoming)
                upcoming += 1
