from dataclasses import replace

from mmrvos.registry import MODELS

from ..features import MultiscaleFeatures, QueryPredictions, TextFeatures
from .cluster_referformer import ClusterReferFormer
from .parts import Part


@MODELS.register_module()
class MUTR(ClusterReferFormer):
    """MUTR (Yan et al., AAAI 2024).

    ReferFormer with two temporal modules: ``fusion`` aggregates the pixels of
    all frames into the sentence (MTA), ``cluster`` aggregates the queries of
    all frames into video queries (MTI). Class and mask kernels are predicted
    from the video queries, boxes from the queries of the frames. In training
    every decoder layer has its own video queries; at test time only those of
    the last layer are computed.

    Args:
        cluster: see :class:`ClusterReferFormer`; not None.
        kwargs: see :class:`ClusterReferFormer`.
    """

    parts = (*ClusterReferFormer.parts, Part('fusion.aggregation'))

    def __init__(self, *, cluster: dict, **kwargs) -> None:
        super().__init__(cluster=cluster, **kwargs)

    def decode(self,
               clip: MultiscaleFeatures,
               text: TextFeatures,
               project: bool = True) -> QueryPredictions:
        """Predict with all layers in training, with ``inference_layer`` at
        test time."""
        clip, memory, sentence = self.fuse(clip, text)
        queries, initial, references = self.decoder(sentence, memory,
                                                    clip.num_frames,
                                                    self.head.refiners())
        video = self.cluster(queries if self.training else queries[-1:],
                             sentence)
        options = {} if project else dict(project=False)
        mask_features = self.pixel_decoder(clip, memory, text, **options)
        predictions = self.head(queries, initial, references, mask_features,
                                clip.image_sizes, video)
        if not self.training:
            predictions = predictions.take_layer(self.inference_layer)
        if not project:
            predictions = replace(
                predictions, mask_projection=self.pixel_decoder.mask_features)
        return self.complete(predictions, clip, memory)
