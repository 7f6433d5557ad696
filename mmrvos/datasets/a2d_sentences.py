from pathlib import Path
from typing import Any

from mmrvos.registry import DATASETS

from .annotation_files import expect, load_json, read_rows
from .base import BaseRVOSDataset
from .mask_sources import H5Masks


def read_videoset(path: str | Path) -> dict[str, dict]:
    """Read the ``videoset.csv`` of A2D, which has no header.

    Returns:
        {video: dict(height, width, num_frames, subset)}; subset 0 is training,
        1 test.

    Raises:
        ValueError: a row does not have nine fields, or has a text in the place
            of a number.
    """
    videos = {}
    keys = ('height', 'width', 'num_frames', 'subset')
    for place, row in read_rows(path):
        numbers = [field.strip() for field in (*row[4:7], *row[8:])]
        if len(row) != 9 or not all(n.isdecimal() for n in numbers):
            raise ValueError(
                f'{place}: {row}, expected nine fields (video, label, start, '
                'end, height, width, frames, annotated frames, subset), the '
                'fields from height on being integers')
        videos[row[0]] = dict(zip(keys, map(int, numbers), strict=True))
    return videos


@DATASETS.register_module()
class A2DSentencesDataset(BaseRVOSDataset):
    """A2D-Sentences: three to five annotated frames per video.

    ::

        data_root/
          Release/{videoset.csv,clips320H/<video>.mp4}
          text_annotations/a2d_annotation_with_instances/<video>/<frame>.h5
          a2d_sentences_single_frame_{train,test}_annotations.json

    An entry is an annotated frame, its ``key_frame``. It has one sentence in
    training and all sentences of the frame in testing. ``exp_id`` is the image
    id of the COCO ground truth, ``v_<video>_f_<frame from 1>_i_<instance>``.
    Use a sampler that sets ``valid_index``.
    """

    PREFIXES = ('video', 'mask')
    hint = ('tools/dataset_converters/a2d_sentences.py makes the annotation '
            'file; docs/datasets.md shows the tree.')

    def load_videos(self) -> list[dict]:
        rows = load_json(self.require(self.ann_file))
        videoset = read_videoset(
            self.require(Path(self.data_root) / 'Release' / 'videoset.csv'))
        clips = self.frame_root('video')
        masks = Path(self.require(self.data_prefix['mask']))
        frames: dict[tuple[str, int], list[dict]] = {}
        for row in expect(rows, list, self.ann_file):
            text, video_id, frame, instance = self._check_row(row)
            if video_id not in videoset:
                raise ValueError(
                    f'{self.ann_file}: video {video_id} is not in '
                    'Release/videoset.csv; both must be of one release')
            frames.setdefault((video_id, frame), []).append(
                dict(
                    exp_id=f'v_{video_id}_f_{frame}_i_{instance}',
                    text=text,
                    obj_ids=[str(instance)]))
        names = {
            v: [f'{i + 1:05d}' for i in range(info['num_frames'])]
            for v, info in videoset.items()
        }
        return [
            dict(
                video_id=video_id,
                frame_names=names[video_id],
                video_path=clips and str(clips / f'{video_id}.mp4'),
                mask_source=H5Masks(masks / video_id),
                key_frame=frame - 1,
                expressions=expressions)
            for (video_id, frame), expressions in sorted(frames.items())
        ]

    def _check_row(self, row: Any) -> list:
        """Check a row: sentence, video, frame (from 1), instance."""
        if (not isinstance(row, list) or [type(v) for v in row] != [
                str, str, int, int] or row[2] < 1):
            raise ValueError(
                f'{self.ann_file}: row {str(row)[:80]}, expected [sentence, '
                f'video, frame (from 1), instance]. {self.hint}')
        return row
