from collections.abc import Iterator, Sequence

import numpy as np

from ...functional.label_map_sequence import VOID, label_limit
from ...missing import Effect, Fault, MissingRule
from ..predictions import PredictionError, PredictionFiles
from .base import FileReader, Known, check_size


class LabelMapReader(FileReader):
    """DAVIS label maps: ``anno_<a>/<video>/<frame>.png`` for the results of
    several annotators, or ``<video>/<frame>.png`` for one.

    Label k is expected to be object k. The objects are those in the first
    frame of the ground truth; the sentences of the dataset are not used.

    Args:
        files: the PNGs.
        known: videos of the dataset.
        rule: effects of missing predictions.
        protocol: see :mod:`mmrvos.evaluation.functional.label_map_sequence`.
    """

    layout = '[anno_<a>/]<video>/<frame>.png'

    def __init__(self, files: PredictionFiles, known: Known,
                 rule: MissingRule, protocol: str) -> None:
        top = files.find_top(known.keys(), depth=1)
        parent, _, last = top.rpartition('/')
        #: folders of the annotators; one empty name if there are none
        self.annotators = ['']
        if last.startswith('anno_'):
            top = parent
            self.annotators = sorted(
                name for name in files.children(parent)
                if name.startswith('anno_'))
        super().__init__(files, known, rule, top)
        self.protocol = protocol
        self.check_names(set(known), set(map(self._video, self.folders())))

    def _video(self, folder: str) -> str:
        """The video that a folder of predictions belongs to."""
        annotator, _, video = folder.partition('/')
        return video if annotator in self.annotators else folder

    def samples(self, entry: dict, problems: list[str]) -> Iterator[dict]:
        source, names = entry['mask_source'], entry['frame_names']
        first = source.label_map(0)
        num_objects = int(first[first != VOID].max(initial=0))
        labels = [str(k + 1) for k in range(num_objects)]
        for a, annotator in enumerate(self.annotators):
            prefix = [annotator] if annotator else []
            folder = self.path(*prefix, entry['video_id'])
            if self.files.has_folder(folder):
                maps = LabelMaps(
                    self.files, folder, names, first.shape,
                    label_limit(self.protocol, num_objects), problems)
            else:
                problems.append(f'{folder}: the video is missing: it counts 0')
                maps = [Fault.MISSING] * len(names)
            yield dict(
                video_id=entry['video_id'],
                frame_names=names,
                exp_ids=['/'.join((*prefix, label)) for label in labels],
                obj_ids=[[label] for label in labels],
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
        problems: receives one line per fault.
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
