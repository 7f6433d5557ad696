from .base import BaseTextEncoder
from .hugging_face_text_encoder import HuggingFaceTextEncoder

__all__ = ['BaseTextEncoder', 'HuggingFaceTextEncoder']
