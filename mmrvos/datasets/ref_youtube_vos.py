from pathlib import Path
from typing import Any

from mmrvos.registry import DATASETS
from mmrvos.structures import PNGMasks

from .annotation_files import (
    check_pixel_value,
    entry,
    in_order_of_time,
    load_expressions,
    load_json,
    object_ids,
)
from .base import BaseRVOSDataset


@DATASETS.register_module()
class RefYoutubeVOSDataset(BaseRVOSDataset):
    """Ref-YouTube-VOS, and every data set that is stored the same way.

    ::

        data_root/
          meta_expressions/{train,valid,test}/meta_expressions.json
          train/{JPEGImages,Annotations}/<video>/<frame>.{jpg,png}
          train/meta.json
          valid/JPEGImages/<video>/<frame>.jpg

    The expression file lists the annotated frames, which are every fifth frame
    of the video. Masks are palette PNGs whose values are object ids.
    ``obj_id`` is one id, a list of ids (their union is the target), or an
    empty list (no target). Masks of the validation videos were published
    later; they are used if the folder exists. Expressions without ``obj_id``
    have no ground truth.

    Args:
        exclude_file: an expression file whose videos are left out. The
            official validation set is the 202 videos of the validation file
            that are not in the test file. If the test file does not exist, all
            507 videos remain.
        meta_file: a file with the category of every object, for class labels.
            None gives label 0 to all objects, as the official recipes do.
    """

    METAINFO = dict(
        classes=('airplane', 'ape', 'bear', 'bike', 'bird', 'boat', 'bucket',
                 'bus', 'camel', 'cat', 'cow', 'crocodile', 'deer', 'dog',
                 'dolphin', 'duck', 'eagle', 'earless_seal', 'elephant',
                 'fish', 'fox', 'frisbee', 'frog', 'giant_panda', 'giraffe',
                 'hand', 'hat', 'hedgehog', 'horse', 'knife', 'leopard',
                 'lion', 'lizard', 'monkey', 'motorbike', 'mouse', 'others',
                 'owl', 'paddle', 'parachute', 'parrot', 'penguin', 'person',
                 'plant', 'rabbit', 'raccoon', 'sedan', 'shark', 'sheep',
                 'sign', 'skateboard', 'snail', 'snake', 'snowboard',
                 'squirrel', 'surfboard', 'tennis_racket', 'tiger', 'toilet',
                 'train', 'truck', 'turtle', 'umbrella', 'whale', 'zebra'))

    hint = ('Ref-YouTube-VOS needs meta_expressions/, train/ and valid/ under '
            'data_root; docs/datasets.md shows the tree and where it comes '
            'from.')
    img_suffix = '.jpg'

    def __init__(self,
                 ann_file: str = '',
                 *,
                 exclude_file: str | None = None,
                 meta_file: str | None = None,
                 **kwargs: Any) -> None:
        self.exclude_file = exclude_file
        self.meta_file = meta_file
        super().__init__(ann_file, **kwargs)

    def load_videos(self) -> list[dict]:
        images = self.frame_root()
        listed = load_expressions(self.require(self.ann_file))
        listed = {v: listed[v] for v in sorted(set(listed) - self._excluded())}
        labels = self._labels()
        videos = []
        for video_id, info in listed.items():
            names = info['frames']
            frame_names = [names[i] for i in in_order_of_time(names)]
            public = self._has_targets(video_id, info['expressions'])
            videos.append(
                dict(
                    video_id=video_id,
                    frame_names=frame_names,
                    img_dir=images and str(images / video_id),
                    img_suffix=self.img_suffix,
                    mask_source=self.mask_source(video_id, frame_names)
                    if public else None,
                    expressions=[
                        self.parse_expression(video_id, exp_id, e, labels)
                        for exp_id, e in info['expressions'].items()
                    ]))
        return videos

    def _has_targets(self, video_id: str, expressions: dict) -> bool:
        """Tell whether the file names the objects of all expressions."""
        unnamed = [i for i, e in expressions.items() if 'obj_id' not in e]
        if unnamed and not self.test_mode:
            raise ValueError(
                f'{self.place(video_id, unnamed[0])} has no obj_id; training '
                'needs the file with objects')
        return not unnamed

    def parse_expression(self, video_id: str, exp_id: str, exp: dict,
                         labels: dict) -> dict:
        """Convert an expression of the file to the form of the base class."""
        place = self.place(video_id, exp_id)
        obj_ids = object_ids(exp.get('obj_id', []), place)
        for obj_id in obj_ids:
            self.check_object_id(obj_id, place)
        label = 0
        if self.meta_file is not None and obj_ids:
            known = labels.get(video_id, {})
            for obj_id in obj_ids:
                if obj_id not in known:
                    raise ValueError(
                        f'{place} names object {obj_id!r}, but the objects '
                        f'in {self.meta_file} are {sorted(known)}')
            label = known[obj_ids[0]]
        return dict(
            exp_id=exp_id,
            text=exp['exp'],
            obj_ids=obj_ids,
            type_id=exp.get('type_id'),
            length=exp.get('length'),
            label=label)

    def check_object_id(self, obj_id: str, place: str) -> None:
        """Check that the masks can store an object id."""
        check_pixel_value(obj_id, place)

    def mask_source(self, video_id: str,
                    frame_names: list[str]) -> PNGMasks | None:
        """Return the masks of a video, None if they are not published."""
        root = self.data_prefix.get('mask')
        if root is None or (self.test_mode
                            and not (Path(root) / video_id).is_dir()):
            return None
        return PNGMasks(Path(self.require(root)) / video_id, frame_names)

    def _excluded(self) -> set[str]:
        path = self._under_root(self.exclude_file)
        if path is None or not path.exists():
            return set()
        return set(entry(load_json(path), 'videos', dict, str(path)))

    def _labels(self) -> dict[str, dict[str, int]]:
        """Read {video: {object id: index of its category}}."""
        path = self._under_root(self.meta_file)
        if path is None:
            return {}
        index = {name: i for i, name in enumerate(self.metainfo['classes'])}
        labels: dict[str, dict[str, int]] = {}
        content = load_json(self.require(path))
        for video_id, info in entry(content, 'videos', dict,
                                    str(path)).items():
            place = f'{path}: video {video_id}'
            for obj_id, obj in entry(info, 'objects', dict, place).items():
                where = f'{place}, object {obj_id}'
                category = entry(obj, 'category', str, where)
                if category not in index:
                    raise ValueError(
                        f'{where} has category {category!r}, expected one of '
                        f'the {len(index)} classes; pass metainfo=dict('
                        'classes=[...])')
                labels.setdefault(video_id, {})[obj_id] = index[category]
        return labels

    def _under_root(self, path: str | None) -> Path | None:
        return None if path is None else Path(self.data_root) / path
