from .metrics import (
    A2DMetric,
    ExpressionMetric,
    InterRVOSMetric,
    InterRVOSTargetMetric,
    JHMDBMetric,
    LongRVOSMetric,
    MeViSMetric,
    MovingShapesMetric,
    RefCOCOMetric,
    RefDAVISMetric,
    RefSAVMetric,
    RefYoutubeVOSMetric,
    ReVOSMetric,
    SubmissionWriter,
    VideoMetric,
    YoURVOSMetric,
)
from .video_scores import score_video

__all__ = [
    'A2DMetric', 'ExpressionMetric', 'InterRVOSMetric',
    'InterRVOSTargetMetric', 'JHMDBMetric', 'LongRVOSMetric', 'MeViSMetric',
    'MovingShapesMetric', 'ReVOSMetric', 'RefCOCOMetric', 'RefDAVISMetric',
    'RefSAVMetric', 'RefYoutubeVOSMetric', 'SubmissionWriter',
    'VideoMetric', 'YoURVOSMetric', 'score_video'
]
