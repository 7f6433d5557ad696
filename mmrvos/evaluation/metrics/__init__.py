from .base import ExpressionMetric
from .frame_metrics import A2DMetric, JHMDBMetric, RefCOCOMetric
from .moving_shapes import MovingShapesMetric
from .ref_davis import RefDAVISMetric
from .revos import RefSAVMetric, ReVOSMetric
from .submission_writer import SubmissionWriter
from .video_metrics import (
    InterRVOSMetric,
    InterRVOSTargetMetric,
    LongRVOSMetric,
    MeViSMetric,
    RefYoutubeVOSMetric,
    VideoMetric,
    YoURVOSMetric,
)

__all__ = [
    'A2DMetric', 'ExpressionMetric', 'InterRVOSMetric',
    'InterRVOSTargetMetric', 'JHMDBMetric', 'LongRVOSMetric', 'MeViSMetric',
    'MovingShapesMetric', 'ReVOSMetric', 'RefCOCOMetric', 'RefDAVISMetric',
    'RefSAVMetric', 'RefYoutubeVOSMetric', 'SubmissionWriter',
    'VideoMetric', 'YoURVOSMetric'
]
