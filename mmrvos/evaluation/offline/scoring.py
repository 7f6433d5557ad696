"""Scores predictions on disk, entry by entry, in one or more processes.

A damaged file never ends the evaluation. It is reported, and its effect on the
score follows the rule for missing predictions.
"""
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mmrvos.datasets import BaseRVOSDataset
from mmrvos.utils import map_in_processes

from ..metrics import ExpressionMetric
from .predictions import PredictionError
from .readers import Known, PredictionReader


class GroundTruthError(ValueError):
    """The dataset cannot be scored; the message is one line."""


@dataclass
class Scored:
    """The result of one entry.

    Args:
        records: of the expressions that count.
        problems: one line per fault.
        left_out: expressions without a record, by the official rule.
        broken: the ground truth of the entry is damaged.
    """
    records: list[dict]
    problems: list[str] = field(default_factory=list)
    left_out: int = 0
    broken: bool = False


def known_expressions(dataset: BaseRVOSDataset) -> Known:
    """List the videos and expressions of a dataset.

    Raises:
        GroundTruthError: an expression names no objects, or no video has
            masks.
    """
    known: Known = {}
    any_masks = False
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        any_masks |= entry['mask_source'] is not None
        for e in entry['expressions']:
            if entry['mask_source'] is None and not e['obj_ids']:
                raise GroundTruthError(
                    f'{dataset.ann_file}: expression {e["exp_id"]} of video '
                    f'{entry["video_id"]} names no objects, as in the file '
                    'of a competition: give the expression file that was '
                    'published with the masks by --expressions')
            known.setdefault(entry['video_id'], []).append(e['exp_id'])
    if not any_masks:
        raise GroundTruthError(
            f'{dataset.data_root} holds no masks for {dataset.ann_file}: '
            f'nothing can be scored. {dataset.hint}')
    return known


class Scorer:
    """Scores the entries of a dataset; an instance may cross processes.

    Args:
        dataset: in test mode, without a pipeline.
        metric: of the benchmark.
        reader: of the predictions.
        once_per_video: score only the first entry of a video; label maps
            concern all its expressions.
    """

    def __init__(self, dataset: BaseRVOSDataset, metric: ExpressionMetric,
                 reader: PredictionReader, *,
                 once_per_video: bool = False) -> None:
        self.dataset = dataset
        self.metric = metric
        self.reader = reader
        self.entries = list(range(len(dataset)))
        if once_per_video:
            first: dict[str, int] = {}
            for index in self.entries:
                video = dataset.get_data_info(index)['video_id']
                first.setdefault(video, index)
            self.entries = list(first.values())

    def __len__(self) -> int:
        return len(self.entries)

    def __call__(self, index: int) -> Scored:
        """Score one entry."""
        entry = self.dataset.get_data_info(self.entries[index])
        scored = Scored([])
        try:
            if entry['mask_source'] is None:
                raise FileNotFoundError('its masks are missing')
            for sample in self.reader.samples(entry, scored.problems):
                records = self.metric.records(sample)
                scored.records += records
                scored.left_out += len(sample['exp_ids']) - len(records)
        except PredictionError:
            raise
        except (OSError, ValueError) as error:
            return Scored([], [
                f'{entry["video_id"]}: left out, its ground truth is broken: '
                f'{error}'
            ], broken=True)
        return scored


_SCORER: Scorer | None = None


def _start_worker(scorer: Scorer) -> None:
    global _SCORER
    _SCORER = scorer


def _run(index: int) -> Scored:
    return _SCORER(index)


def score_all(scorer: Scorer,
              workers: int = 1,
              on_done: Callable[[], None] = lambda: None) -> Iterator[Scored]:
    """Score all entries.

    Args:
        scorer: knows the entries.
        workers: number of processes.
        on_done: called after each entry.

    Yields:
        Results in the order of the entries.

    Raises:
        OSError: a process was killed.
    """
    indices = range(len(scorer))
    results = map(scorer, indices) if workers == 1 else map_in_processes(
        _run, indices, workers, _start_worker, (scorer, ))
    for scored in results:
        yield scored
        on_done()
