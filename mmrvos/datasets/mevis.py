from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmrvos.registry import DATASETS
from mmrvos.structures import RLEMasks
from mmrvos.utils import check_shape, image_shape, safe_join

from .annotation_files import (
    entry,
    expect,
    in_order_of_time,
    load_expressions,
    load_json,
    object_ids,
)
from .base import BaseRVOSDataset


@DATASETS.register_module()
class MeViSDataset(BaseRVOSDataset):
    """MeViS v1 and v2, and data sets with one RLE file for all masks.

    ::

        data_root/{train,valid_u,valid}/
          JPEGImages/<video>/<frame>.jpg
          meta_expressions.json
          mask_dict.json                      (not in valid)

    An expression lists several ``anno_id``; the union of their masks is the
    target. ``mask_dict[anno_id]`` holds an RLE or null for every frame, in
    the order of the video's list of frames.

    Args:
        mask_file: the RLE file, relative to ``data_root``; None if the masks
            are not published.
    """

    hint = ('MeViS needs JPEGImages, meta_expressions.json and mask_dict.json '
            'in every split; docs/datasets.md says where it comes from.')
    img_suffix = '.jpg'

    def __init__(self,
                 ann_file: str = '',
                 *,
                 mask_file: str | None = None,
                 **kwargs: Any) -> None:
        self.mask_file = mask_file
        super().__init__(ann_file, **kwargs)

    def load_videos(self) -> list[dict]:
        listed = self.read_expressions()
        images = self.frame_root()
        rles = None
        if self.mask_file is not None:
            path = self.require(Path(self.data_root) / self.mask_file)
            rles = expect(load_json(path), dict, path)
        videos = []
        for video_id, info in sorted(listed.items()):
            names = info['frames']
            order = in_order_of_time(names)
            expressions = [
                self.parse_expression(video_id, exp_id, e)
                for exp_id, e in info['expressions'].items()
            ]
            videos.append(
                dict(
                    video_id=video_id,
                    frame_names=[names[i] for i in order],
                    img_dir=images and str(images / video_id),
                    img_suffix=self.img_suffix,
                    mask_source=None if rles is None else self.mask_source(
                        video_id, info, order, rles),
                    expressions=expressions))
        return videos

    def read_expressions(self) -> dict[str, dict]:
        """Read {video: its frames and expressions} from ``ann_file``."""
        return load_expressions(self.require(self.ann_file))

    def parse_expression(self, video_id: str, exp_id: str, exp: dict) -> dict:
        """Convert an expression of the file to the form of the base class."""
        return dict(
            exp_id=exp_id,
            text=exp['exp'],
            obj_ids=object_ids(
                exp.get('anno_id', []), self.place(video_id, exp_id)))

    def mask_source(self, video_id: str, info: dict, order: list[int],
                    rles: dict) -> RLEMasks:
        """Collect and check the RLE of all objects that the expressions name.

        A list may be longer than the list of frames, as in the official
        files; the surplus is dropped.

        Args:
            video_id: the video.
            info: its entry of the expression file.
            order: indices of its frames in order of time. The masks are
                parallel to the list of frames in the file.
            rles: content of the mask file.
        """
        own, path = {}, Path(self.data_root) / self.mask_file
        for exp_id, exp in info['expressions'].items():
            place = self.place(video_id, exp_id)
            for obj_id in object_ids(exp.get('anno_id', []), place):
                if obj_id not in rles:
                    raise ValueError(
                        f'{place} names object {obj_id!r}, which is not in '
                        f'{path}; both must be of one release')
                masks = expect(rles[obj_id], list, f'{path}: object {obj_id}')
                if len(masks) < len(order):
                    raise ValueError(
                        f'{path}: object {obj_id} has {len(masks)} masks, '
                        f'video {video_id} has {len(order)} frames; both must '
                        'be of one release')
                own[obj_id] = [masks[i] or None for i in order]
        shape = None
        if all(rle is None for masks in own.values() for rle in masks):
            shape = self._frame_shape(video_id, info)
        try:
            return RLEMasks(own, shape)
        except ValueError as error:
            raise ValueError(f'{path}: video {video_id}, {error}') from None

    def _frame_shape(self, video_id: str, info: dict) -> tuple[int, int]:
        """(height, width) of a video without any mask, from the expression
        file or the first frame."""
        place = f'{self.ann_file}: video {video_id}'
        if 'height' in info and 'width' in info:
            shape = tuple(
                entry(info, key, int, place) for key in ('height', 'width'))
            if min(shape) < 1:
                raise ValueError(f'{place} is {shape} (height, width), '
                                 'expected at least one pixel')
            check_shape(*shape, place)
            return shape
        images = self.frame_root()
        if images is None:
            raise ValueError(
                f'{place} has no mask, no height and no width; the size of '
                'its frames is unknown. Give data_prefix.img, the folder of '
                'the frames')
        first = safe_join(images, f'{video_id}/{info["frames"][0]}',
                          'video and frame', self.ann_file)
        return image_shape(self.require(f'{first}{self.img_suffix}'))


@DATASETS.register_module()
class ReVOSDataset(MeViSDataset):
    """ReVOS: sentences that need reasoning, and some without a target.

    ::

        data_root/
          JPEGImages/<source>/.../<video>/<frame>.jpg
          meta_expressions_{train,valid}_.json
          mask_dict.json

    ``type_id`` becomes 'referring', 'reason' or 'hallucination'. A
    hallucination has no target, even if the file lists objects for it. The
    mask source contains these objects, as part of the foreground of the video.
    """

    TYPES = ('referring', 'reason', 'hallucination')

    hint = ('ReVOS needs JPEGImages, meta_expressions_{train,valid}_.json and '
            'mask_dict.json; docs/datasets.md says where it comes from.')

    def parse_expression(self, video_id: str, exp_id: str, exp: dict) -> dict:
        type_id = choose(self.TYPES, exp.get('type_id', 0),
                         self.place(video_id, exp_id))
        parsed = super().parse_expression(video_id, exp_id, exp)
        if type_id == 'hallucination':
            parsed['obj_ids'] = []
        return dict(parsed, type_id=type_id)


@DATASETS.register_module()
class RefSAVDataset(MeViSDataset):
    """The validation form of Ref-SAV, with long and short sentences.

    ::

        data_root/
          JPEGImages/<video>/<frame>.jpg
          meta_expressions_valid.json
          mask_dict.json
    """

    LENGTHS = ('long', 'short')

    hint = ('Ref-SAV needs JPEGImages (frames of SA-V), '
            'meta_expressions_valid.json and mask_dict.json; docs/datasets.md '
            'says where they come from.')

    def parse_expression(self, video_id: str, exp_id: str, exp: dict) -> dict:
        parsed = super().parse_expression(video_id, exp_id, exp)
        if 'type_id' in exp:
            parsed['length'] = choose(self.LENGTHS, exp['type_id'],
                                      self.place(video_id, exp_id))
        return parsed


@DATASETS.register_module()
class InterRVOSDataset(MeViSDataset):
    """InterRVOS: sentences about an actor and the target of its action.

    ::

        data_root/
          JPEGImages/<video>/<frame>.jpg
          new_meta_expressions.json
          new_mask_dict.json

    ``anno_id`` of an expression lists the objects that act.
    ``subject/object.anno_id.object`` lists the objects that are acted upon.

    Args:
        role: 'actor' or 'target', the objects to segment. With 'target',
            expressions without a target of the action are left out, as in the
            official evaluation.
    """

    ROLES = ('actor', 'target')

    hint = ('InterRVOS needs JPEGImages, new_meta_expressions.json and '
            'new_mask_dict.json; docs/datasets.md says where it comes from.')

    def __init__(self,
                 ann_file: str = '',
                 *,
                 role: str = 'actor',
                 **kwargs: Any) -> None:
        if role not in self.ROLES:
            raise ValueError(f'InterRVOSDataset got role={role!r}, expected '
                             f'one of {self.ROLES}')
        self.role = role
        super().__init__(ann_file, **kwargs)

    def read_expressions(self) -> dict[str, dict]:
        listed = super().read_expressions()
        if self.role == 'actor':
            return listed
        videos = {}
        for video_id, info in listed.items():
            expressions = {}
            for exp_id, exp in info['expressions'].items():
                targets = self._targets(exp, self.place(video_id, exp_id))
                if targets:
                    expressions[exp_id] = dict(exp, anno_id=targets)
            if expressions:
                videos[video_id] = dict(info, expressions=expressions)
        return videos

    @staticmethod
    def _targets(exp: dict, place: str) -> list[str]:
        """Ids of the objects that are acted upon; empty if there is none."""
        roles = entry(exp, 'subject/object', dict, place)
        ids = entry(roles, 'anno_id', dict, f'{place}, subject/object')
        return object_ids(ids.get('object') or [], place)


def choose(names: Sequence[str], type_id: Any, place: str) -> str:
    """Look up the name of a ``type_id``, an index as integer or text.

    Raises:
        ValueError: there is no such index.
    """
    if str(type_id) not in map(str, range(len(names))):
        raise ValueError(
            f'{place} has type_id {type_id!r}, expected an index of {names}')
    return names[int(type_id)]
