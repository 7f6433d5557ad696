from pathlib import Path

from mmrvos.registry import DATASETS
from mmrvos.structures import PNGMasks
from mmrvos.utils import check_name, is_hidden, read_lines, visible_files

from .base import BaseRVOSDataset


@DATASETS.register_module()
class DAVIS17Dataset(BaseRVOSDataset):
    """Sequences of label maps without sentences, as DAVIS-2017 stores them.

    For scoring label maps on disk, where no sentence is needed::

        data_root/
          Annotations_unsupervised/480p/<video>/<frame>.png
          ImageSets/2017/val.txt

    Pixels of value 255 are void. A sequence is one entry. Its only expression
    stands for the whole label map and names no object; a model needs the
    sentences of :class:`RefDAVIS17Dataset`.

    Args:
        ann_file: text file with one sequence name per line. If the file does
            not exist, all folders under ``data_prefix.mask`` are sequences.
        data_prefix: ``mask``, the folder of the sequences.
    """

    METAINFO = {'classes': ()}

    hint = ('Unpack the annotations (DAVIS-2017-Unsupervised-trainval-480p) '
            'again.')

    def load_videos(self) -> list[dict]:
        root = Path(self.require(self.data_prefix['mask']))
        if self.ann_file and Path(self.ann_file).exists():
            names = ' '.join(read_lines(self.ann_file)).split()
        else:
            names = sorted(
                path.name for path in root.iterdir()
                if path.is_dir() and not is_hidden(path))
        return [
            self._sequence(root, check_name(name, 'sequence', self.ann_file))
            for name in names
        ]

    def _sequence(self, root: Path, name: str) -> dict:
        frames = [
            path.stem
            for path in visible_files((root / name).glob('*'), {'.png'})
        ]
        if not frames:
            raise ValueError(
                f'{root / name} holds no PNG, expected one label map per '
                f'frame. {self.hint}')
        masks = PNGMasks(root / name, frames, void_value=255)
        masks.check_ids()
        return dict(
            video_id=name,
            frame_names=frames,
            img_dir=None,
            mask_source=masks,
            expressions=[
                dict(exp_id='all', text='all objects', obj_ids=[])
            ])
