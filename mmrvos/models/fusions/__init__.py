from .cross_modal_adapter import CrossModalAdapter
from .cross_modal_fusion import CrossModalFusion
from .no_fusion import NoFusion
from .semantic_alignment import SemanticAlignment
from .temporal_aggregation import TemporalAggregation
from .two_stream_fusion import TwoStreamFusion
from .vision_language_interaction import VisionLanguageInteraction

__all__ = [
    'CrossModalAdapter', 'CrossModalFusion', 'NoFusion', 'SemanticAlignment',
    'TemporalAggregation', 'TwoStreamFusion', 'VisionLanguageInteraction'
]
