from .base import BaseRVOSDataset
from .ref_youtube_vos import RefYoutubeVOSDataset

__all__ = ['BaseRVOSDataset', 'RefYoutubeVOSDataset']
