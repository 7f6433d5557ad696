import json
from pathlib import Path
from typing import Any

from mmrvos.registry import DATASETS
from mmrvos.structures import PNGMasks
from mmrvos.utils import MAX_ANNOTATION_BYTES, check_file, natural_key

from .base import BaseRVOSDataset


def load_json(path: str | Path) -> Any:
    """A JSON file.

    Raises:
        ValueError: it is cut short or no JSON; the message names it.
    """
    try:
        with open(
                check_file(path, MAX_ANNOTATION_BYTES),
                encoding='utf-8') as file:
            return json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError,
            RecursionError) as error:
        raise ValueError(
            f'{path} is no valid JSON ({error}): fetch it again') from None


def load_listed(path: str | Path) -> dict[str, dict]:
    """The ``videos`` of an expression file.

    Raises:
        ValueError: it has none, or a video or expression lacks an entry; the
            message says which.
    """
    content = load_json(path)
    if not isinstance(content, dict) or 'videos' not in content:
        raise ValueError(
            f'{path} has no entry "videos", so it is no expression file: '
            'look at ann_file in the config')
    for video_id, info in content['videos'].items():
        for key in ('frames', 'expressions'):
            if key not in info:
                raise ValueError(
                    f'{path}: video {video_id} has no "{key}"; fetch the file '
                    'again')
        for exp_id, expression in info['expressions'].items():
            if 'exp' not in expression:
                raise ValueError(
                    f'{path}: expression {exp_id} of video {video_id} has no '
                    '"exp", its text; fetch the file again')
    return content['videos']


@DATASETS.register_module()
class RefYoutubeVOSDataset(BaseRVOSDataset):
    """Ref-YouTube-VOS, and everything stored the same way.

    ::

        data_root/
          meta_expressions/{train,valid,test}/meta_expressions.json
          train/{JPEGImages,Annotations}/<video>/<frame>.{jpg,png}
          train/meta.json
          valid/JPEGImages/<video>/<frame>.jpg

    The frames listed are the annotated ones, every fifth of the video. Masks
    are palette PNGs whose values are object ids; ``obj_id`` may also be a list
    of several (their union) or empty. The annotations of the validation videos
    were published late: they are used where they are, and expressions without
    ``obj_id`` have no ground truth.

    Args:
        exclude_file: an expression file whose videos are left out. The
            official validation list is the 202 videos of the validation file
            that the test file does not hold; where the latter is absent, all
            507 remain.
        meta_file: names the category of every object, for class labels; None
            gives label 0 throughout, as the official recipes do.
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
        listed = load_listed(self.require(self.ann_file))
        listed = {v: listed[v] for v in sorted(set(listed) - self._excluded())}
        labels = self._labels()
        videos = []
        for video_id, info in listed.items():
            frame_names = sorted(info['frames'], key=natural_key)
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
        """Whether the file says which objects are meant."""
        silent = [i for i, e in expressions.items() if 'obj_id' not in e]
        if silent and not self.test_mode:
            raise ValueError(
                f'{self.ann_file}: expression {silent[0]} of video {video_id} '
                'has no obj_id; training needs the file with objects')
        return not silent

    def parse_expression(self, video_id: str, exp_id: str, exp: dict,
                         labels: dict) -> dict:
        """One expression of the file in the form of the base class."""
        obj_ids = exp.get('obj_id', [])
        if not isinstance(obj_ids, list):
            obj_ids = [obj_ids]
        obj_ids = [str(i) for i in obj_ids]
        label = 0
        if self.meta_file is not None and obj_ids:
            known = labels.get(video_id, {})
            for obj_id in obj_ids:
                if obj_id not in known:
                    raise ValueError(
                        f'{self.ann_file}: expression {exp_id} of video '
                        f'{video_id} is about object {obj_id!r}, but '
                        f'{self.meta_file} knows {sorted(known)}')
            label = known[obj_ids[0]]
        return dict(
            exp_id=exp_id,
            text=exp['exp'],
            obj_ids=obj_ids,
            type_id=exp.get('type_id'),
            length=exp.get('length'),
            label=label)

    def mask_source(self, video_id: str,
                    frame_names: list[str]) -> PNGMasks | None:
        """Where the masks of a video are, None if not published."""
        root = self.data_prefix.get('mask')
        if root is None or (self.test_mode
                            and not (Path(root) / video_id).is_dir()):
            return None
        return PNGMasks(Path(self.require(root)) / video_id, frame_names)

    def _excluded(self) -> set[str]:
        path = self._under_root(self.exclude_file)
        if path is None or not path.exists():
            return set()
        return set(load_json(path)['videos'])

    def _labels(self) -> dict[str, dict[str, int]]:
        """{video: {object id: index of its category}}."""
        path = self._under_root(self.meta_file)
        if path is None:
            return {}
        index = {name: i for i, name in enumerate(self.metainfo['classes'])}
        labels: dict[str, dict[str, int]] = {}
        for video_id, info in load_json(self.require(path))['videos'].items():
            for obj_id, obj in info['objects'].items():
                if obj['category'] not in index:
                    raise ValueError(
                        f'{path}: category {obj["category"]!r} of object '
                        f'{obj_id} in video {video_id} is not among the '
                        f'{len(index)} classes; pass metainfo=dict(classes='
                        '[...])')
                labels.setdefault(video_id, {})[obj_id] = index[
                    obj['category']]
        return labels

    def _under_root(self, path: str | None) -> Path | None:
        return None if path is None else Path(self.data_root) / path
