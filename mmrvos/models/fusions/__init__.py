from .cross_modal_fusion import CrossModalFusion
from .vision_language_interaction import VisionLanguageInteraction

__all__ = ['CrossModalFusion', 'VisionLanguageInteraction']
