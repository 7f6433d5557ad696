from collections.abc import Iterator, Sequence

import numpy as np

from ...missing import Fault, MissingRule
from ..predictions import PredictionError, PredictionFiles
from .base import FileReader, Known, base_sample, check_size


class VideoMaskReader(FileReader):
    """One mask PNG per expression and frame.

    Video ids may contain slashes (ReVOS).

    Args:
        files: the PNGs.
        known: videos and expressions of the dataset.
        rule: effects of missing predictions.
        grey: read PNGs as the official scripts do,
            :meth:`PredictionFiles.grey`.
    """

    layout = '<video>/<expression>/<frame>.png'

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule, grey: bool = False) -> None:
        top = files.find_top(known.keys(), depth=2)
        super().__init__(files, known, rule, top)
        self.grey = grey
        # (video, expression); a folder directly under the top has no video
        pairs = [f.rpartition('/')[::2] for f in self.folders()]
        self.check_names(set(known), {video or e for video, e in pairs})
        self.unknown += [
            f'{self.path(video, exp_id)}: an expression unknown to the '
            'dataset, not scored'
            for video, exp_id in sorted(pairs)
            if video in known and exp_id not in known[video]
        ]

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        sample = base_sample(entry)
        video, names = sample['video_id'], sample['frame_names']
        folders = [self.path(video, e) for e in sample['exp_ids']]
        missing = [f for f in folders if not self.files.has_folder(f)]
        if len(missing) == len(folders):
            problems.append(self.video_missing(self.path(video)))
        else:
            problems += map(self.expression_missing, missing)
        size = sample['mask_source'].read((), 0).shape
        sample['pred'] = dict(masks=[
            [Fault.MISSING] * len(names) if folder in missing else FrameMasks(
                self, folder, names, size, problems) for folder in folders
        ])
        yield sample

    def read(self, path: str) -> np.ndarray:
        """Read a mask, (H, W) bool, or uint8 if ``grey``.

        Raises:
            PredictionError: the PNG cannot be used.
        """
        return self.files.grey(path) if self.grey else self.files.mask(path)


class FrameMasks:
    """The masks of one expression, read when a frame is asked for.

    Args:
        reader: reads the PNGs.
        folder: path of the expression.
        frame_names: T names without extension.
        size: (height, width) of the ground truth.
        problems: receives one line per fault.
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
        if path not in self.reader.files:
            return self._fault(f'{path}: missing', Fault.MISSING, t)
        try:
            mask = self.reader.read(path)
            check_size(path, mask.shape, self.size)
        except PredictionError as error:
            return self._fault(str(error), Fault.UNUSABLE, t)
        return mask

    def _fault(self, text: str, fault: Fault, t: int) -> Fault:
        effect = self.reader.rule.effect(fault, t)
        self.problems.append(f'{text}: {effect.value}')
        return fault
