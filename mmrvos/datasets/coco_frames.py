from pathlib import Path
from typing import Any

from mmrvos.registry import DATASETS
from mmrvos.structures import RLEMasks

from .annotation_files import load_json
from .base import BaseRVOSDataset


@DATASETS.register_module()
class CocoFramesDataset(BaseRVOSDataset):
    """Single annotated frames in one COCO file, without frames or sentences.

    A2D-Sentences and JHMDB-Sentences are published in this form as well::

        {"annotations": [{"image_id": ..., "segmentation": {"size", "counts"}},
                         ...]}

    A sample is one frame, one instance and one sentence, so an image has one
    annotation. For scoring masks on disk: an entry is an image; ``video_id``
    and ``exp_id`` are its id. A model needs :class:`A2DSentencesDataset` or
    :class:`JHMDBSentencesDataset`.
    """

    METAINFO = {'classes': ()}

    hint = ('tools/dataset_converters/a2d_sentences.py and '
            'jhmdb_sentences.py make the file.')

    def load_videos(self) -> list[dict]:
        content = load_json(self.require(self.ann_file))
        annotations = (content.get('annotations')
                       if isinstance(content, dict) else None)
        if not isinstance(annotations, list):
            raise ValueError(
                f'{self.ann_file} has no list "annotations", so it is no COCO '
                f'file. {self.hint}')
        videos: dict[str, dict] = {}
        for annotation in annotations:
            image_id, masks = self._parse(annotation)
            if image_id in videos:
                raise ValueError(
                    f'{self.ann_file}: image {image_id} has more than one '
                    'annotation, expected one per image: a sample is one '
                    'frame, one instance and one sentence')
            videos[image_id] = dict(
                video_id=image_id,
                frame_names=[Path(image_id).name],
                img_dir=None,
                mask_source=masks,
                expressions=[
                    dict(exp_id=image_id, text=image_id, obj_ids=['1'])
                ])
        return [videos[image_id] for image_id in sorted(videos)]

    def _parse(self, annotation: Any) -> tuple[str, RLEMasks]:
        """Read the image id and the mask of an annotation."""
        if not isinstance(annotation, dict) or 'image_id' not in annotation:
            raise ValueError(
                f'{self.ann_file}: an annotation has no "image_id": '
                f'{str(annotation)[:80]}. {self.hint}')
        image_id = str(annotation['image_id'])
        rle = annotation.get('segmentation')
        if not isinstance(rle, dict):
            raise ValueError(
                f'{self.ann_file}: the segmentation of image {image_id} is a '
                f'{type(rle).__name__}, expected a COCO RLE. {self.hint}')
        try:
            return image_id, RLEMasks({'1': [rle]})
        except ValueError as error:
            raise ValueError(
                f'{self.ann_file}: image {image_id}, {error}. {self.hint}'
            ) from None
