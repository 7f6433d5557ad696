from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from ..functional import SPLITS, with_splits


class ExpressionMetric(BaseMetric):
    """A metric whose unit is the expression.

    A subclass turns a data sample into one record per expression
    (:meth:`score`) and records into numbers (:meth:`summarise`). A record is a
    small dict of numbers, see :mod:`mmrvos.evaluation.functional.summary`;
    masks are not kept. All records of a sample are ONE entry of ``results``,
    for MMEngine cuts these to the length of the data set when it merges ranks.

    To measure something else as well, extend ``score`` and ``summarise`` and
    name what each split shall report in ``headline``.

    Args:
        split_by: marks by which the numbers are also reported in parts,
            'type_id' and 'length'.
        collect_device, prefix: as in MMEngine.
    """

    #: measures reported for every split; None for all of them
    headline: tuple[str, ...] | None = None

    def __init__(self,
                 *,
                 split_by: Sequence[str] = SPLITS,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        unknown = set(split_by) - set(SPLITS)
        if unknown:
            raise ValueError(
                f'{type(self).__name__} got split_by={list(split_by)}, '
                f'expected some of {SPLITS}')
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.split_by = tuple(split_by)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            records = [
                dict(self.identity(sample, e), **record)
                for e, record in enumerate(self.score(sample))
            ]
            self.results.append(records)

    def identity(self, sample: dict, e: int) -> dict:
        """What marks the e-th expression of a data sample."""
        return dict(
            video_id=sample['video_id'],
            exp_id=sample['exp_ids'][e],
            type_id=sample['type_ids'][e],
            length=sample['lengths'][e])

    def score(self, sample: dict) -> list[dict]:
        """One record per expression.

        Args:
            sample: an :class:`RVOSDataSample` as a dict.
        """
        raise NotImplementedError

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        """The numbers of some records, in percent."""
        raise NotImplementedError

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        records = [record for sample in results for record in sample]
        return with_splits(
            self.summarise, records, self.split_by, self.headline)


def ground_truth(sample: dict, metric: str) -> Any:
    """The mask source of a data sample.

    Raises:
        ValueError: it has none.
    """
    source = sample.get('mask_source')
    if source is None:
        raise ValueError(
            f'{metric} needs the ground truth of video '
            f"{sample['video_id']!r}, whose mask_source is None: give the "
            'dataset the annotations (data_prefix.mask) and the pipeline '
            'PackRVOSInputs(keep_masks=True); without annotations use '
            'SubmissionWriter')
    return source
