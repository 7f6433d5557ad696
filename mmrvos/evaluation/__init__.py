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
)
from .video_scores import score_video

__all__ = [
    'A2DMetric', 'ExpressionMetric', 'InterRVOSMetric',
    'InterRVOSTargetMetric', 'JHMDBMetric', 'LongRVOSMetric', 'MeViSMetric',
    'MovingShapesMetric', 'ReVOSMetric', 'RefCOCOMetric', 'RefDAVISMetric',
    'RefSAVMetric', 'RefYoutubeVOSMetric', 'SubmissionWriter',
    'VideoMetric', 'score_video'
]
