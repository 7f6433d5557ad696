import torch
from torch import Tensor

from mmrvos.registry import MODELS

from ..features import MultiscaleFeatures, TextFeatures
from ..heads.soc_head import SOCPredictions
from ..layers import masked_mean
from .cluster_referformer import ClusterReferFormer


@MODELS.register_module()
class SOC(ClusterReferFormer):
    """SOC (Luo et al., NeurIPS 2023).

    Frames are encoded and decoded as in ReferFormer, but the content of the
    queries is initialised with zeros. A cluster module then aggregates the
    queries of all frames into video queries, which are added to the queries
    of every frame. ``fusion`` returns the fused words instead of the
    sentence.

    Args:
        cluster: config of the cluster module, :class:`VideoObjectCluster` for
            example. None adds no video queries; the contrastive loss then
            uses the mean over the frames (Table 3, without VOC).
        kwargs: see :class:`ClusterReferFormer`.
    """

    def word_map(self, clip: MultiscaleFeatures,
                 text: TextFeatures) -> Tensor:
        """See the base class; all levels are fused, because the words attend
        to the level of stride 32."""
        levels, _ = self.fusion(clip.select(text.video_index), text)
        return levels[0]

    def decode(self, clip: MultiscaleFeatures,
               text: TextFeatures) -> SOCPredictions:
        """Predict with all layers in training, with ``inference_layer`` at
        test time."""
        clip, memory, words = self.fuse(clip, text)
        queries, initial, references = self.decoder(
            torch.zeros_like(text.sentence), memory, clip.num_frames,
            self.head.refiners())
        queries, video = self.group(queries, text.sentence)
        maps = memory.maps()
        # strides 32, 16, 8 and 4; the coarsest level is not used
        mask_features = self.pixel_decoder([*maps[-2::-1], clip.fine])
        predictions = self.head(
            queries, initial, references,
            mask_features.unflatten(0, (-1, clip.num_frames)),
            clip.image_sizes, video, masked_mean(words, text.padding))
        if not self.training:
            predictions = predictions.take_layer(self.inference_layer)
        return self.complete(predictions, clip, memory)

    def group(self, queries: Tensor,
              sentence: Tensor) -> tuple[Tensor, Tensor]:
        """Aggregate the queries of all frames into video queries.

        Args:
            queries: (D, P, T, N, C).
            sentence: (P, C).

        Returns:
            The queries plus the video queries, (D, P, T, N, C); and the video
            queries, (D, P, N, C) in training, those of the last layer
            (1, P, N, C) at test time.
        """
        clustered = queries if self.training else queries[-1:]
        if self.cluster is None:
            return queries, clustered.mean(2)
        video = self.cluster(clustered, sentence)  # (D or 1, P, 1 or T, N, C)
        return queries + video, video.mean(2)
