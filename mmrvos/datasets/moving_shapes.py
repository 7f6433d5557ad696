import random
from pathlib import Path
from typing import Any

from mmrvos import moving_shapes
from mmrvos.moving_shapes.shapes import SHAPES
from mmrvos.registry import DATASETS

from .ref_youtube_vos import RefYoutubeVOSDataset


def __getattr__(name: str) -> Any:
    """``generate`` and ``ensure`` are here too, so that one import makes and
    reads the data set. The generator is loaded when it is first used."""
    if name in ('ensure', 'generate'):
        return getattr(moving_shapes, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


@DATASETS.register_module()
class MovingShapesDataset(RefYoutubeVOSDataset):
    """Moving Shapes, which makes itself on first use.

    Reading the validation split makes this split only.

    Stored as Ref-YouTube-VOS is, with ``type_id`` and ``length`` for every
    expression. In training the expressions of a video are a large pool to be
    drawn from: ``entry='video'`` with ``SampleExpressions`` in the pipeline.

    Args:
        size: 'mini', 'small' or 'full'.
        data_root: where it is, or shall be made.
        shuffle_frames: show the frames of each video, and their masks, in a
            random order that depends on the name of the video only. A control
            for testing: a method that uses motion must lose hits by it.
    """

    METAINFO = dict(classes=SHAPES)

    hint = ('tools/dataset_converters/moving_shapes.py --size SIZE --out DIR '
            'makes it again.')

    def __init__(self,
                 ann_file: str,
                 *,
                 size: str,
                 data_root: str,
                 shuffle_frames: bool = False,
                 **kwargs: Any) -> None:
        self.size = size
        self.shuffle_frames = shuffle_frames
        super().__init__(ann_file, data_root=data_root, **kwargs)

    def load_videos(self) -> list[dict]:
        # testing needs 100 of the 1300 videos of size 'small'
        splits = moving_shapes.SPLITS
        only = [s for s in splits if s in Path(self.ann_file).parts]
        if only == ['valid']:
            splits = only
        moving_shapes.ensure(self.data_root, self.size, splits=splits)
        videos = super().load_videos()
        if self.shuffle_frames:
            for video in videos:
                names = video['frame_names']
                random.Random(video['video_id']).shuffle(names)
                video['mask_source'] = self.mask_source(
                    video['video_id'], names)
        return videos
