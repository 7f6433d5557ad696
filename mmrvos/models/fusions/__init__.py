from .cross_modal_fusion import CrossModalFusion
from .two_stream_fusion import TwoStreamFusion
from .vision_language_interaction import VisionLanguageInteraction

__all__ = [
    'CrossModalFusion', 'TwoStreamFusion', 'VisionLanguageInteraction'
]
