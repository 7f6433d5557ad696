from .metrics import (
    A2DMetric,
    ExpressionMetric,
    JHMDBMetric,
    LongRVOSMetric,
    MeViSMetric,
    MovingShapesMetric,
    RefCOCOMetric,
    RefDAVISMetric,
    RefYoutubeVOSMetric,
    ReVOSMetric,
    SubmissionWriter,
    VideoMetric,
)
from .video_scores import score_video

__all__ = [
    'A2DMetric', 'ExpressionMetric', 'JHMDBMetric', 'LongRVOSMetric',
    'MeViSMetric', 'MovingShapesMetric', 'ReVOSMetric', 'RefCOCOMetric',
    'RefDAVISMetric', 'RefYoutubeVOSMetric', 'SubmissionWriter',
    'VideoMetric', 'score_video'
]
