from .base import BaseTextEncoder
from .hugging_face_text_encoder import HuggingFaceTextEncoder
from .staged_text_encoder import StagedTextEncoder

__all__ = ['BaseTextEncoder', 'HuggingFaceTextEncoder', 'StagedTextEncoder']
