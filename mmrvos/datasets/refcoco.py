from pathlib import PurePosixPath

from mmrvos.registry import DATASETS
from mmrvos.utils import check_name, check_shape

from .annotation_files import entry, expect, load_json
from .base import BaseRVOSDataset
from .mask_sources import PolygonMasks


@DATASETS.register_module()
class RefCOCODataset(BaseRVOSDataset):
    """RefCOCO, RefCOCO+ and RefCOCOg: an image is a video of one frame.

    ::

        data_root/
          train2014/*.jpg
          {refcoco,refcoco+,refcocog}/instances_<name>_<split>.json

    ``tools/dataset_converters/refcoco.py`` writes the files with one image
    entry per sentence. The data set groups the sentences of an image again, so
    that the image is encoded once. ``exp_id`` is the id of the image entry,
    and ``label`` is the COCO category. The box is the one of COCO, clipped to
    the image, and not the box of the mask. Crowds and boxes without area are
    left out, as in the official training.

    For joint training with videos add ``ImageToClip`` after ``LoadClipMasks``.
    """

    hint = ('tools/dataset_converters/refcoco.py makes the annotation files '
            'from refs(...).p and instances.json; docs/datasets.md shows the '
            'tree.')

    def load_videos(self) -> list[dict]:
        content = load_json(self.require(self.ann_file))
        images: dict[int, dict] = {}
        for image in entry(content, 'images', list, self.ann_file):
            number = entry(image, 'id', int, f'{self.ann_file}: an image')
            if number in images:
                raise ValueError(f'{self.ann_file} lists image {number} '
                                 'twice; convert again')
            images[number] = image
        folder = self.frame_root()
        videos: dict[str, dict] = {}
        for ann in entry(content, 'annotations', list, self.ann_file):
            number = entry(ann, 'id', int, f'{self.ann_file}: an annotation')
            place = f'{self.ann_file}: annotation {number}'
            if ann.get('image_id') not in images:
                raise ValueError(
                    f'{place} belongs to image {ann.get("image_id")}, which '
                    'is not in the file; convert again')
            image = images[ann['image_id']]
            self._check(image, ann, place)
            box = clamp_box(ann['bbox'], image['height'], image['width'])
            if ann.get('iscrowd', 0) or box is None:
                continue
            name = PurePosixPath(
                check_name(image['file_name'], 'file_name', self.ann_file))
            obj_id = str(ann.get('original_id', number))
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
            try:
                video['mask_source'].add(obj_id, ann['segmentation'])
            except ValueError as error:
                raise ValueError(f'{place}: {error}') from None
            video['expressions'].append(
                dict(
                    exp_id=str(image['id']),
                    text=image['caption'],
                    obj_ids=[obj_id],
                    label=ann['category_id'],
                    box=box))
        return list(videos.values())

    def _check(self, image: dict, ann: dict, place: str) -> None:
        """Check the form of an annotation and of its image."""
        where = f'{self.ann_file}: image {image["id"]}'
        shape = [entry(image, key, int, where) for key in ('height', 'width')]
        if min(shape) < 1:
            raise ValueError(f'{where} has (height, width) {shape}, expected '
                             'at least one pixel')
        check_shape(*shape, where)
        entry(image, 'caption', str, where)
        entry(ann, 'category_id', int, place)
        box = entry(ann, 'bbox', list, place)
        if len(box) != 4:
            raise ValueError(f'{place} has bbox {box}, expected x, y, width, '
                             'height')
        for value in box:
            expect(value, float, f'{place}: a number of "bbox"')
        if 'segmentation' not in ann:
            raise ValueError(f'{place} has no "segmentation"; convert again')


def clamp_box(box: list[float], height: int,
              width: int) -> tuple[float, ...] | None:
    """Convert COCO's (x, y, w, h) to (x1, y1, x2, y2) inside the image.

    Returns:
        None if the box has no area.
    """
    x, y, w, h = box
    x1, x2 = (min(max(v, 0), width) for v in (x, x + w))
    y1, y2 = (min(max(v, 0), height) for v in (y, y + h))
    return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None
