from .base import ExpressionMetric
from .frame_metrics import A2DMetric, JHMDBMetric, RefCOCOMetric
from .ref_davis import RefDAVISMetric
from .submission_writer import SubmissionWriter
from .video_metrics import (
                            LongRVOSMetric,
                            MeViSMetric,
                            RefYoutubeVOSMetric,
                            ReVOSMetric,
                            VideoMetric,
)

__all__ = [
    'A2DMetric', 'ExpressionMetric', 'JHMDBMetric', 'LongRVOSMetric',
    'MeViSMetric', 'ReVOSMetric', 'RefCOCOMetric', 'RefDAVISMetric',
    'RefYoutubeVOSMetric', 'SubmissionWriter', 'VideoMetric'
]
