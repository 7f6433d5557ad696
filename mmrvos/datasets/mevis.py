from pathlib import Path
from typing import Any

from PIL import Image

from mmrvos.registry import DATASETS
from mmrvos.structures import RLEMasks
from mmrvos.utils import (
    MAX_IMAGE_BYTES,
    check_file,
    checked_rle,
    natural_key,
    safe_join,
)

from .base import BaseRVOSDataset
from .ref_youtube_vos import load_json, load_listed


@DATASETS.register_module()
class MeViSDataset(BaseRVOSDataset):
    """MeViS v1 and v2, and everything with one RLE file for all masks.

    ::

        data_root/{train,valid_u,valid}/
          JPEGImages/<video>/<frame>.jpg
          meta_expressions.json
          mask_dict.json                      (not in valid)

    An expression lists several ``anno_id``; the union of their masks is the
    target. ``mask_dict[anno_id]`` holds an RLE or null for every frame.

    Args:
        mask_file: the RLE file, under ``data_root``; None where masks are not
            published.
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
        listed = load_listed(self.require(self.ann_file))
        images = self.frame_root()
        rles = None
        if self.mask_file is not None:
            rles = load_json(
                self.require(Path(self.data_root) / self.mask_file))
        videos = []
        for video_id, info in sorted(listed.items()):
            frame_names = sorted(info['frames'], key=natural_key)
            expressions = [
                self.parse_expression(exp_id, e)
                for exp_id, e in info['expressions'].items()
            ]
            videos.append(
                dict(
                    video_id=video_id,
                    frame_names=frame_names,
                    img_dir=images and str(images / video_id),
                    img_suffix=self.img_suffix,
                    mask_source=None if rles is None else RLEMasks(
                        *self.collect_masks(video_id, info, rles)),
                    expressions=expressions))
        return videos

    def parse_expression(self, exp_id: str, exp: dict) -> dict:
        """One expression of the file in the form of the base class."""
        return dict(
            exp_id=exp_id,
            text=exp['exp'],
            obj_ids=object_ids(exp))

    def collect_masks(
            self, video_id: str, info: dict,
            rles: dict) -> tuple[dict[str, list], tuple[int, int]]:
        """Collect the RLE of all objects that a video's expressions name.

        Returns:
            {object id: one RLE or None per frame}, and (height, width) of the
            frames. The file lists the RLEs in the order of its frames; here
            both are in natural order. The official files hold some lists that
            are longer than the video; the surplus is dropped.
        """
        own, num_frames = {}, len(info['frames'])
        order = sorted(
            range(num_frames), key=lambda i: natural_key(info['frames'][i]))
        for exp_id, exp in info['expressions'].items():
            for obj_id in object_ids(exp):
                if obj_id not in rles:
                    raise ValueError(
                        f'{self.ann_file}: expression {exp_id} of video '
                        f'{video_id} is about object {obj_id!r}, which '
                        f'{self.mask_file} does not hold; both must be of one '
                        'release')
                if len(rles[obj_id]) < num_frames:
                    raise ValueError(
                        f'{self.mask_file}: object {obj_id} has '
                        f'{len(rles[obj_id])} masks, video {video_id} has '
                        f'{num_frames} frames; both must be of one release')
                if obj_id not in own:
                    own[obj_id] = [
                        self._checked(obj_id, rles[obj_id][i]) for i in order
                    ]
        sizes = {
            tuple(rle['size'])
            for masks in own.values() for rle in masks if rle
        }
        if len(sizes) > 1:
            raise ValueError(
                f'{self.mask_file}: the masks of video {video_id} have sizes '
                f'{sorted(sizes)}, expected one')
        if sizes:
            return own, sizes.pop()
        # No object has a mask: the size is that of the expression file or of
        # the first frame.
        if 'height' in info and 'width' in info:
            return own, (info['height'], info['width'])
        images = self.frame_root()
        if images is None:
            raise ValueError(
                f'{self.ann_file}: video {video_id} has no mask, no height '
                'and no width; the size of its frames is unknown. Give '
                'data_prefix.img, the folder of the frames')
        first = safe_join(images, f'{video_id}/{info["frames"][order[0]]}',
                          'video and frame', self.ann_file)
        path = self.require(f'{first}{self.img_suffix}')
        with Image.open(check_file(path, MAX_IMAGE_BYTES)) as image:
            return own, image.size[::-1]

    def _checked(self, obj_id: str, rle: dict | None) -> dict | None:
        if not rle:
            return None
        try:
            return checked_rle(rle)
        except ValueError as error:
            raise ValueError(
                f'{self.mask_file}: object {obj_id} has {error}') from None


def object_ids(exp: dict) -> list[str]:
    """The ``anno_id`` of an expression, a list or one number, as text."""
    ids = exp.get('anno_id', [])
    return [str(i) for i in (ids if isinstance(ids, list) else [ids])]


@DATASETS.register_module()
class ReVOSDataset(MeViSDataset):
    """ReVOS: sentences that need reasoning, and some about nothing.

    ::

        data_root/
          JPEGImages/<source>/.../<video>/<frame>.jpg
          meta_expressions_{train,valid}_.json
          mask_dict.json

    ``type_id`` becomes 'referring', 'reason' or 'hallucination'. A
    hallucination has no target, even if the file lists objects for it; these
    objects are in the mask source all the same, as part of the foreground of
    the video.
    """

    TYPES = ('referring', 'reason', 'hallucination')

    hint = ('ReVOS needs JPEGImages, meta_expressions_{train,valid}_.json and '
            'mask_dict.json; docs/datasets.md says where it comes from.')

    def parse_expression(self, exp_id: str, exp: dict) -> dict:
        type_id = self.TYPES[int(exp.get('type_id', 0))]
        parsed = super().parse_expression(exp_id, exp)
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

    def parse_expression(self, exp_id: str, exp: dict) -> dict:
        parsed = super().parse_expression(exp_id, exp)
        if 'type_id' in exp:
            parsed['length'] = self.LENGTHS[int(exp['type_id'])]
        return parsed
