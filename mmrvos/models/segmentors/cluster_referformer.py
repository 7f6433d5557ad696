from mmrvos.registry import MODELS

from ..derive import derive, settings
from .parts import Part
from .referformer import ReferFormer


class ClusterReferFormer(ReferFormer):
    """ReferFormer with a module that aggregates the queries of all frames.

    The base of SOC and MUTR.

    Args:
        cluster: config of the module between decoder and heads, see
            :class:`VideoObjectCluster` and :class:`TemporalInteraction`. It
            gets the decoder's number of queries.
        inference_layer: the decoder layer whose class and box heads and
            references are used at test time. The official inference of both
            methods uses the first, 0, with the video queries of the last
            layer; the published numbers are made so. -1 is the last layer.
        decoder, embed_dims, kwargs: see :class:`ReferFormer`.

    Raises:
        ValueError: the decoder has no such layer.
    """
    parts = (*ReferFormer.parts, Part('cluster', compiled=True))

    def __init__(self,
                 *,
                 cluster: dict | None,
                 decoder: dict,
                 embed_dims: int = 256,
                 inference_layer: int = 0,
                 **kwargs) -> None:
        super().__init__(decoder=decoder, embed_dims=embed_dims, **kwargs)
        self.cluster = cluster and MODELS.build(
            derive('cluster', cluster, embed_dims=('embed_dims', embed_dims),
                   **settings('decoder', decoder, 'num_queries')))
        layers = len(self.decoder.layers)
        if not -layers <= inference_layer < layers:
            raise ValueError(f'inference_layer={inference_layer}, but the '
                             f'decoder has {layers} layers')
        self.inference_layer = inference_layer
