import csv
from pathlib import Path

from mmrvos.registry import DATASETS
from mmrvos.utils import MAX_ANNOTATION_BYTES, check_file

from .base import BaseRVOSDataset
from .mask_sources import H5Masks
from .ref_youtube_vos import load_json


def read_videoset(path: str | Path) -> dict[str, dict]:
    """A2D's ``videoset.csv``, which has no header.

    Returns:
        {video: dict(height, width, num_frames, subset)}; subset 0 is training,
        1 test.

    Raises:
        ValueError: a row has not nine fields.
    """
    videos = {}
    check_file(path, MAX_ANNOTATION_BYTES)
    with open(path, newline='', encoding='utf-8') as file:
        for number, row in enumerate(csv.reader(file), 1):
            if len(row) != 9:
                raise ValueError(
                    f'{path}, line {number}: {len(row)} fields, expected 9 '
                    '(video, label, start, end, height, width, frames, '
                    'annotated frames, subset)')
            videos[row[0]] = dict(
                height=int(row[4]),
                width=int(row[5]),
                num_frames=int(row[6]),
                subset=int(row[8]))
    return videos


@DATASETS.register_module()
class A2DSentencesDataset(BaseRVOSDataset):
    """A2D-Sentences: three to five annotated frames in every video.

    ::

        data_root/
          Release/{videoset.csv,clips320H/<video>.mp4}
          text_annotations/a2d_annotation_with_instances/<video>/<frame>.h5
          a2d_sentences_single_frame_{train,test}_annotations.json

    An entry is an annotated frame, as ``key_frame``, with one of its sentences
    in training and all of them in testing. ``exp_id`` is the image id of the
    COCO ground truth, ``v_<video>_f_<frame from 1>_i_<instance>``. Use a
    sampler that sets ``valid_index``.
    """

    hint = ('tools/dataset_converters/a2d_sentences.py makes the annotation '
            'file; docs/datasets.md shows the tree.')

    def load_videos(self) -> list[dict]:
        rows = load_json(self.require(self.ann_file))
        videoset = read_videoset(
            self.require(Path(self.data_root) / 'Release' / 'videoset.csv'))
        clips = self.frame_root('video')
        masks = Path(self.require(self.data_prefix['mask']))
        frames: dict[tuple[str, int], list[dict]] = {}
        for text, video_id, frame, instance in rows:
            if video_id not in videoset:
                raise ValueError(
                    f'{self.ann_file}: video {video_id} is not in '
                    'Release/videoset.csv; both must be of one release')
            frames.setdefault((video_id, int(frame)), []).append(
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
