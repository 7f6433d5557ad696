from .a2d_sentences import A2DSentencesDataset
from .base import BaseRVOSDataset
from .coco_frames import CocoFramesDataset
from .davis17 import DAVIS17Dataset
from .jhmdb_sentences import JHMDBSentencesDataset
from .long_rvos import LongRVOSDataset
from .mevis import (
    InterRVOSDataset,
    MeViSDataset,
    RefSAVDataset,
    ReVOSDataset,
)
from .moving_shapes import MovingShapesDataset
from .own_videos import OwnVideosDataset
from .ref_davis17 import RefDAVIS17Dataset
from .ref_youtube_vos import RefYoutubeVOSDataset
from .refcoco import RefCOCODataset
from .yourvos import YoURVOSDataset

__all__ = [
    'A2DSentencesDataset', 'BaseRVOSDataset', 'CocoFramesDataset',
    'DAVIS17Dataset', 'InterRVOSDataset', 'JHMDBSentencesDataset',
    'LongRVOSDataset', 'MeViSDataset', 'MovingShapesDataset',
    'OwnVideosDataset', 'ReVOSDataset', 'RefCOCODataset', 'RefDAVIS17Dataset',
    'RefSAVDataset', 'RefYoutubeVOSDataset', 'YoURVOSDataset'
]
