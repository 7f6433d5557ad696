import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmrvos.registry import DATASETS
from mmrvos.structures import MaskSource
from mmrvos.utils import brief, check_name, visible_files

from .annotation_files import (
    entry,
    in_order_of_time,
    load_expressions,
    read_rows,
)
from .base import BaseRVOSDataset
from .mask_sources import ObjectFolderMasks

#: distance of the annotated frames, in numbers of frames
STEP = 5


@DATASETS.register_module()
class YoURVOSDataset(BaseRVOSDataset):
    """YoURVOS: untrimmed videos in which the object is often absent.

    ::

        data_root/
          JPEGImages/<video>/<frame>.jpg
          Annotations/<video>/<expression>/<frame>.png
          meta_expressions.json
          spans.txt

    The masks and ``spans.txt`` have the form that the official evaluation
    reads: a PNG per frame that shows the object, and lines
    ``video,expression:start,end;start,end`` with numbers of frames, ends
    included. Frames are every fifth one.

    Args:
        ann_file: sentences in the form of Ref-YouTube-VOS. The empty text
            reads videos and expressions from the folder of the masks, which
            is enough to score masks on disk: frames are then every fifth
            number up to the last one of masks and spans.
        spans_file: ``spans.txt``, relative to ``data_root``; None takes the
            frames that have masks.
    """

    METAINFO = dict(classes=())
    hint = ('YoURVOS needs Annotations/<video>/<expression>/<frame>.png and, '
            'to test a model, JPEGImages and meta_expressions.json; '
            'docs/datasets.md shows the tree.')

    def __init__(self,
                 ann_file: str = '',
                 *,
                 spans_file: str | None = None,
                 **kwargs: Any) -> None:
        self.spans_file = spans_file
        super().__init__(ann_file, **kwargs)

    def load_videos(self) -> list[dict]:
        images = self.frame_root()
        masks = Path(self.require(self.data_prefix['mask']))
        spans = {}
        if self.spans_file is not None:
            spans = read_spans(
                self.require(Path(self.data_root) / self.spans_file))
        if self.ann_file:
            listed = load_expressions(self.require(self.ann_file))
        else:
            listed = dict(listed_by_masks(masks, spans))
        videos = []
        for video_id, info in sorted(listed.items()):
            names = [
                info['frames'][i] for i in in_order_of_time(info['frames'])
            ]
            videos.append(
                dict(
                    video_id=video_id,
                    frame_names=names,
                    img_dir=images and str(images / video_id),
                    img_suffix='.jpg',
                    mask_source=self.mask_source(masks, video_id, names),
                    expressions=[
                        dict(
                            exp_id=exp_id,
                            text=entry(e, 'exp', str,
                                       self.place(video_id, exp_id)),
                            obj_ids=[exp_id],
                            spans=spans.get((video_id, exp_id)))
                        for exp_id, e in info['expressions'].items()
                    ]))
        return videos

    def mask_source(self, masks: Path, video_id: str,
                    names: list[str]) -> MaskSource | None:
        """Return the masks of a video; a folder per expression."""
        check_name(video_id, 'video id', self.ann_file or str(masks))
        folder = masks / video_id
        return ObjectFolderMasks(folder, names) if folder.is_dir() else None


def read_spans(path: str) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Read {(video, expression): [(first, last) number of frame, ...]}.

    Raises:
        ValueError: a line has another form, or is repeated.
    """
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for place, fields in read_rows(path):
        line = ','.join(fields).strip()
        match = re.fullmatch(
            r'([^,:]+),([^,:]+):((?:\d{1,9},\d{1,9};?)+)', line)
        if not match:
            raise ValueError(f'{place}: {brief(line)}, expected '
                             'video,expression:start,end;start,end')
        key = (check_name(match[1], 'video id', place),
               check_name(match[2], 'expression id', place))
        if key in spans:
            raise ValueError(f'{place}: video {key[0]}, expression {key[1]} '
                             'has an earlier line')
        pairs = [tuple(map(int, pair.split(',')))
                 for pair in match[3].strip(';').split(';')]
        for first, last in pairs:
            if last < first:
                raise ValueError(f'{place}: a span from {first} to {last}')
        spans[key] = pairs
    return spans


def listed_by_masks(
    masks: Path, spans: dict[tuple[str, str], list[tuple[int, int]]]
) -> Iterator[tuple[str, dict]]:
    """List the videos of a folder of masks in the form of the expression file.

    Raises:
        ValueError: the name of a mask is no number.
    """
    for folder in sorted(p for p in masks.iterdir() if p.is_dir()):
        expressions, last = {}, 0
        for child in sorted(p for p in folder.iterdir() if p.is_dir()):
            exp_id = child.name
            expressions[exp_id] = dict(exp=f'expression {exp_id}')
            for path in visible_files(child.glob('*.png')):
                last = max(last, frame_number(path.stem, path))
            for _, end in spans.get((folder.name, exp_id), ()):
                last = max(last, end)
        if expressions:
            frames = [f'{t:05d}' for t in range(0, last + 1, STEP)]
            yield folder.name, dict(frames=frames, expressions=expressions)


def frame_number(name: str, source: str | Path) -> int:
    """Read the number of a frame.

    Raises:
        ValueError: the name is no number.
    """
    if not re.fullmatch('[0-9]{1,9}', name):
        raise ValueError(f'{source}: frame {name!r}, expected a number')
    return int(name)
