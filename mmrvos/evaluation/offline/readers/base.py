from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from typing import Any

from mmrvos.datasets.entries import entry_meta
from mmrvos.utils import parse_json

from ...missing import MissingRule
from ..predictions import PredictionError, PredictionFiles

#: {video id: ids of its expressions} of a dataset
Known = dict[str, list[str]]


def base_sample(entry: dict) -> dict:
    """Build a data sample of all frames of an entry, without predictions."""
    frames = range(len(entry['frame_names']))
    return dict(entry_meta(entry, frames), mask_source=entry['mask_source'])


class PredictionReader(metaclass=ABCMeta):
    """Predictions of one layout.

    A reader turns an entry of a dataset and the files of its predictions into
    data samples. The metric of the benchmark scores them as it scores the
    samples of a model.

    Args:
        known: videos and expressions of the dataset.
        rule: effects of missing predictions, for the messages.

    Attributes:
        unknown: one message per prediction that the dataset does not know.
    """

    #: where the predictions of an entry are expected
    layout: str

    def __init__(self, known: Known, rule: MissingRule) -> None:
        self.known = known
        self.rule = rule
        self.unknown: list[str] = []

    @abstractmethod
    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        """Build the data samples of an entry.

        Masks are read when the metric asks for a frame, so that memory does
        not grow with the length of a video.

        Args:
            entry: what the dataset returns.
            problems: receives one line per fault, also while masks are read.

        Yields:
            Dicts that a metric takes in the place of
            :class:`~mmrvos.structures.RVOSDataSample`.

        Raises:
            OSError, ValueError: the ground truth is damaged.
        """

    def others(self) -> list[str]:
        """One message about files that are no predictions, if any."""
        return []

    def video_missing(self, name: str) -> str:
        effect = self.rule.video.value
        return (f'{name}: the video is missing: ' + effect.replace(
            'the expression', 'each of its expressions'))

    def expression_missing(self, name: str) -> str:
        effect = self.rule.expression.value
        return (f'{name}: the expression is missing: ' + effect.replace(
            'the expression', 'it'))


class FileReader(PredictionReader):
    """Predictions that are PNGs in a folder or zip.

    Args:
        files: the PNGs.
        known, rule: as in :class:`PredictionReader`.
        top: the folder in which all predictions lie, '' for the root.
    """

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule, top: str) -> None:
        super().__init__(known, rule)
        self.files = files
        self.top = top

    def check_names(self, expected: set[str], predicted: set[str]) -> None:
        """Compare the names of the dataset with those of the predictions.

        Raises:
            PredictionError: they have no name in common.
        """
        if predicted.isdisjoint(expected):
            raise PredictionError(
                f'{self.files.root}: among its {len(self.files.paths)} PNGs '
                f'is none of the {len(expected)} that the dataset expects, '
                f'of which the first is {min(expected)!r}: expected '
                f'{self.layout}, in any folder')
        self.unknown += [f'{name}: unknown to the dataset, not scored'
                         for name in sorted(predicted - expected)]

    def others(self) -> list[str]:
        others = [path for path in self.files.others
                  if not path.endswith('scores.json')]
        if not others:
            return []
        more = f', nor are {len(others) - 1} more' if others[1:] else ''
        return [f'{others[0]}: not a PNG, ignored{more}']

    def path(self, *parts: str) -> str:
        """Join names to a path below the top folder."""
        return '/'.join((self.top, *parts) if self.top else parts)

    def folders(self) -> Iterator[str]:
        """Folders with PNGs below the top, relative to it."""
        start = self.path('')
        for folder in self.files.folders():
            if folder.startswith(start) and folder != self.top:
                yield folder[len(start):]


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


def parse_predictions(content: bytes, name: str) -> Any:
    """Parse a JSON file of predictions.

    Raises:
        PredictionError: it is no JSON.
    """
    try:
        return parse_json(content)
    except ValueError as error:
        raise PredictionError(f'{name}: no valid JSON ({error})') from None
