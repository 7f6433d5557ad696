from pathlib import PurePosixPath

from mmrvos.registry import DATASETS
from mmrvos.utils import check_name

from .base import BaseRVOSDataset
from .mask_sources import PolygonMasks
from .ref_youtube_vos import load_json


@DATASETS.register_module()
class RefCOCODataset(BaseRVOSDataset):
    """RefCOCO, RefCOCO+ and RefCOCOg: an image is a video of one frame.

    ::

        data_root/
          train2014/*.jpg
          {refcoco,refcoco+,refcocog}/instances_<name>_<split>.json

    The files are made by ``tools/dataset_converters/refcoco.py`` with one
    image entry per sentence; here the sentences of an image come together
    again, so that its features serve all of them. ``exp_id`` is the number of
    that image entry, ``label`` the COCO category. The box is COCO's, cut to
    the image, and not that of the mask. Crowds and boxes without area are left
    out, as in the official training.

    For joint training with videos add ``ImageToClip`` after the masks are
    loaded.
    """

    hint = ('tools/dataset_converters/refcoco.py makes the annotation files '
            'from refs(...).p and instances.json; docs/datasets.md shows the '
            'tree.')

    def load_videos(self) -> list[dict]:
        content = load_json(self.require(self.ann_file))
        images = {i['id']: i for i in content['images']}
        folder = self.frame_root()
        videos: dict[str, dict] = {}
        for ann in content['annotations']:
            if ann['image_id'] not in images:
                raise ValueError(
                    f'{self.ann_file}: annotation {ann["id"]} is of image '
                    f'{ann["image_id"]}, which is not listed; convert again')
            image = images[ann['image_id']]
            box = clamp_box(ann['bbox'], image['height'], image['width'])
            if ann.get('iscrowd', 0) or box is None:
                continue
            name = PurePosixPath(
                check_name(image['file_name'], 'file_name', self.ann_file))
            obj_id = str(ann.get('original_id', ann['id']))
            video = videos.setdefault(
                image['file_name'],
                dict(
                    video_id=str(name.with_suffix('')),
                    frame_names=[name.stem],
                    img_dir=folder and str(folder / name.parent),
                    img_suffix=name.suffix,
                    mask_source=PolygonMasks(
                        {}, (image['height'], image['width'])),
                    expressions=[]))
            video['mask_source'].segmentations[obj_id] = ann['segmentation']
            video['expressions'].append(
                dict(
                    exp_id=str(image['id']),
                    text=image['caption'],
                    obj_ids=[obj_id],
                    label=ann['category_id'],
                    box=box))
        return list(videos.values())


def clamp_box(box: list[float], height: int,
              width: int) -> tuple[float, ...] | None:
    """COCO's x, y, w, h as x1, y1, x2, y2 inside the image, None if empty."""
    x, y, w, h = box
    x1, x2 = (min(max(v, 0), width) for v in (x, x + w))
    y1, y2 = (min(max(v, 0), height) for v in (y, y + h))
    return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None
