from pathlib import Path, PurePosixPath

from mmrvos.registry import DATASETS
from mmrvos.utils import safe_join

from .base import BaseRVOSDataset
from .mask_sources import MatMasks
from .ref_youtube_vos import load_json


@DATASETS.register_module()
class JHMDBSentencesDataset(BaseRVOSDataset):
    """JHMDB-Sentences, for testing: three frames of every video.

    ::

        data_root/
          Rename_Images/<action>/<video>/<frame from 1>.png
          puppet_mask/<action>/<video>/puppet_mask.mat
          jhmdb_sentences_samples_metadata.json

    The sample file says which frames: results on others do not compare. The
    default is MTTR's and ReferFormer's (SOC's file shares one frame in ten
    with it). An entry is such a frame, as ``key_frame``; ``exp_id`` is its
    image id in the COCO ground truth, ``v_<video>_f_<frame>``.
    """

    hint = ('JHMDB-Sentences needs Rename_Images, puppet_mask and the sample '
            'file of MTTR; docs/datasets.md says where they come from, '
            'tools/dataset_converters/jhmdb_sentences.py checks them.')

    def load_videos(self) -> list[dict]:
        videos = []
        root = Path(self.require(self.data_root))
        for video_id, image, mask, total, text in load_json(
                self.require(self.ann_file)):
            image = safe_join(root, below_root(image), 'frame', self.ann_file)
            frame = int(image.stem)
            if not 1 <= frame <= total:
                raise ValueError(
                    f'{self.ann_file}: video {video_id} lists frame {frame}, '
                    f'but says {total} frames have masks')
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


def below_root(path: str) -> str:
    """Paths in the sample file begin with ``./jhmdb_sentences/``."""
    parts = PurePosixPath(path).parts
    if parts and parts[0] == 'jhmdb_sentences':
        parts = parts[1:]
    return str(PurePosixPath(*parts))
