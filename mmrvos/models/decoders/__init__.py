from .inter_frame import InterFrameLayer
from .language_query_decoder import LanguageQueryDecoder

__all__ = ['InterFrameLayer', 'LanguageQueryDecoder']
