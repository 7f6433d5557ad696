from collections.abc import Sequence
from typing import Any

from mmrvos.structures import MaskSource

from ..functional import SPLITS, with_splits
from ..missing import MISSING, MissingRule
from .protocol import MetricProtocol


class ExpressionMetric(MetricProtocol):
    """A metric whose unit is the expression.

    A subclass turns a data sample into one record per expression
    (:meth:`score`) and records into numbers (:meth:`summarise`). A record is a
    small dict of numbers, see :mod:`mmrvos.evaluation.functional.summary`.
    Masks are not kept. All records of a sample are ONE entry of ``results``,
    because MMEngine cuts ``results`` to the length of the dataset when it
    merges ranks.

    The same metric scores predictions on disk: ``eval_masks.py`` builds
    samples from the dataset and from the files, and calls :meth:`records`.

    To measure something else as well, extend ``score`` and ``summarise`` and
    name the measures to report per split in ``headline``.

    Args:
        split_by: marks of expressions by which the numbers are also reported
            in parts, some of 'type_id' and 'length'.
        missing: 'zero' or 'official', what predictions that are missing count.
            'zero': nothing is left out of the average. 'official': as the
            official code of the benchmark, which may leave expressions out.
        collect_device, prefix: as in MMEngine.

    Raises:
        ValueError: an option is unknown, or the benchmark has no official
            rule.
    """

    #: measures to report for every split; None for all of them
    headline: tuple[str, ...] | None = None
    #: the rule of the official code; None if there is none or it stops
    official_missing: MissingRule | None = None

    def __init__(self,
                 *,
                 split_by: Sequence[str] = SPLITS,
                 missing: str = 'zero',
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        name = type(self).__name__
        unknown = set(split_by) - set(SPLITS)
        if unknown:
            raise ValueError(
                f'{name} got split_by={list(split_by)}, expected some of '
                f'{SPLITS}')
        if missing not in MISSING:
            raise ValueError(
                f'{name} got missing={missing!r}, expected one of {MISSING}')
        if missing == 'official' and self.official_missing is None:
            raise ValueError(
                f"{name} got missing='official', but no official rule for "
                "missing predictions is known; expected 'zero'")
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.split_by = tuple(split_by)
        self.missing = missing

    @property
    def missing_rule(self) -> MissingRule:
        """The effects of missing predictions, from the ``missing`` option."""
        if self.missing == 'official':
            return self.official_missing
        return (self.official_missing or MissingRule()).counting_zero()

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            self.results.append(self.records(sample))

    def records(self, sample: dict) -> list[dict]:
        """Score a data sample.

        Returns:
            One record per expression; expressions that are left out have none.
        """
        return [
            dict(self.identity(sample, e), **record)
            for e, record in enumerate(self.score(sample))
            if record is not None
        ]

    def identity(self, sample: dict, e: int) -> dict:
        """Ids and marks of the e-th expression of a data sample."""
        return dict(
            video_id=sample['video_id'],
            exp_id=sample['exp_ids'][e],
            type_id=sample['type_ids'][e],
            length=sample['lengths'][e])

    def score(self, sample: dict) -> list[dict | None]:
        """One record per expression, None for those that are left out.

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


def ground_truth(sample: dict, metric: str) -> MaskSource:
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
