from pathlib import Path, PurePosixPath

from mmrvos.registry import DATASETS
from mmrvos.utils import safe_join

from .annotation_files import expect, load_json
from .base import BaseRVOSDataset
from .mask_sources import MatMasks


@DATASETS.register_module()
class JHMDBSentencesDataset(BaseRVOSDataset):
    """JHMDB-Sentences, for testing: three annotated frames per video.

    ::

        data_root/
          Rename_Images/<action>/<video>/<frame from 1>.png
          puppet_mask/<action>/<video>/puppet_mask.mat
          jhmdb_sentences_samples_metadata.json

    The sample file lists the frames. Results on other frames are not
    comparable. The default is the file of MTTR and ReferFormer; the file of
    SOC has one frame in ten in common with it. An entry is one of these
    frames, its ``key_frame``. ``exp_id`` is its image id in the COCO ground
    truth, ``v_<video>_f_<frame>``.
    """

    hint = ('JHMDB-Sentences needs Rename_Images, puppet_mask and the sample '
            'file of MTTR; docs/datasets.md says where they come from, '
            'tools/dataset_converters/jhmdb_sentences.py checks them.')

    def load_videos(self) -> list[dict]:
        videos = []
        root = Path(self.require(self.data_root))
        for video_id, image, mask, total, text in read_samples(
                self.require(self.ann_file)):
            image = safe_join(root, below_root(image), 'frame', self.ann_file)
            frame = int(image.stem)
            videos.append(
                dict(
                    video_id=video_id,
                    frame_names=[f'{i + 1:05d}' for i in range(total)],
                    img_dir=str(image.parent),
                    img_suffix=image.suffix,
                    mask_source=MatMasks(
                        safe_join(root, below_root(mask), 'mask file',
                                  self.ann_file)),
                    key_frame=frame - 1,
                    expressions=[
                        dict(
                            exp_id=f'v_{video_id}_f_{frame}',
                            text=text,
                            obj_ids=['1'])
                    ]))
        return videos


def read_samples(path: str | Path) -> list[list]:
    """Read the sample file.

    Returns:
        Rows [video, path of the frame, path of the masks, number of frames
        with masks, sentence]. The name of the frame is its number, from 1.

    Raises:
        ValueError: a row has another form, or its frame has no mask.
    """
    rows = expect(load_json(path), list, str(path))
    for row in rows:
        place = f'{path}: row {str(row)[:80]}'
        if not isinstance(row, list) or [type(v) for v in row] != [
                str, str, str, int, str
        ]:
            raise ValueError(
                f'{place}, expected [video, path of the frame, path of the '
                'masks, number of frames, sentence]')
        number, total = PurePosixPath(row[1]).stem, row[3]
        if not number.isdecimal() or not 1 <= int(number) <= total:
            raise ValueError(f'{place} lists frame {number}, but {total} '
                             'frames have masks')
    return rows


def below_root(path: str) -> str:
    """Remove the ``./jhmdb_sentences/`` of paths in the sample file."""
    parts = PurePosixPath(path).parts
    if parts and parts[0] == 'jhmdb_sentences':
        parts = parts[1:]
    return str(PurePosixPath(*parts))
