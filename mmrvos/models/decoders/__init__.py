from .conditional_memory_encoder import ConditionalMemoryEncoder
from .inter_frame import InterFrameLayer
from .language_query_decoder import LanguageQueryDecoder
from .multimodal_transformer import MultimodalTransformer
from .plain_clusters import AverageCluster, ConvCluster, KMeansCluster
from .temporal_interaction import TemporalInteraction
from .video_object_cluster import VideoObjectCluster

__all__ = [
    'AverageCluster', 'ConditionalMemoryEncoder', 'ConvCluster',
    'InterFrameLayer', 'KMeansCluster', 'LanguageQueryDecoder',
    'MultimodalTransformer', 'TemporalInteraction', 'VideoObjectCluster'
]
