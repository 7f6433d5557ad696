from .base import TextDetector
from .hugging_face_grounder import HuggingFaceGrounder

__all__ = ['HuggingFaceGrounder', 'TextDetector']
