from .language_query_decoder import LanguageQueryDecoder

__all__ = ['LanguageQueryDecoder']
