from .metrics import (
                      A2DMetric,
                      ExpressionMetric,
                      JHMDBMetric,
                      LongRVOSMetric,
                      MeViSMetric,
                      RefCOCOMetric,
                      RefDAVISMetric,
                      RefYoutubeVOSMetric,
                      ReVOSMetric,
                      SubmissionWriter,
                      VideoMetric,
)
from .video_scorer import score_video

__all__ = [
    'A2DMetric', 'ExpressionMetric', 'JHMDBMetric', 'LongRVOSMetric',
    'MeViSMetric', 'ReVOSMetric', 'RefCOCOMetric', 'RefDAVISMetric',
    'RefYoutubeVOSMetric', 'SubmissionWriter', 'VideoMetric', 'score_video'
]
