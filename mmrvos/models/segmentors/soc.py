from dataclasses import replace

import torch
from torch import Tensor

from mmrvos.registry import MODELS

from ..derive import derive, settings
from ..features import ClipFeatures, Predictions, TextFeatures
from ..layers import masked_mean
from .referformer import ReferFormer


@MODELS.register_module()
class SOC(ReferFormer):
    """SOC (Luo et al., NeurIPS 2023).

    Frames are encoded and decoded as in ReferFormer, by queries that begin
    empty; then the queries of all frames are grouped into queries of the
    video, which are added back to every frame. ``fusion`` returns the fused
    words in the place of the sentence.

    Args:
        cluster: config of what groups queries, :class:`VideoObjectCluster`
            or another; None leaves the frames alone, and the contrastive loss
            gets the mean over the frames (Table 3, without VOC).
        inference_layer: the decoder layer whose queries answer at test time.
            The official inference takes the first, 0, together with the video
            queries of the last, and the published numbers are made so; -1 is
            the layer that training calls the last.
        decoder, embed_dims, kwargs: see :class:`ReferFormer`. The cluster
            gets the decoder's number of queries.

    Raises:
        ValueError: the decoder has no such layer.
    """

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

    def decode(self, clip: ClipFeatures, text: TextFeatures) -> Predictions:
        """All layers in training, ``inference_layer`` at test time."""
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
            clip.image_sizes)
        if not self.training:
            predictions = one_layer(predictions, self.inference_layer)
        return replace(
            predictions,
            # officially masks of A2D and JHMDB go through the input's size
            input_size=clip.input_size,
            dense=maps[0],
            extra=dict(
                video_queries=video,
                guidance=masked_mean(words, text.padding)))

    def group(self, queries: Tensor,
              sentence: Tensor) -> tuple[Tensor, Tensor]:
        """Let the frames meet.

        Args:
            queries: (D, P, T, N, C).
            sentence: (P, C).

        Returns:
            The queries with their video's added, same shape; and the queries
            of the video, (D, P, N, C) in training and (1, P, N, C), those of
            the last layer, at test time.
        """
        seen = queries if self.training else queries[-1:]
        if self.cluster is None:
            return queries, seen.mean(2)
        video = self.cluster(seen, sentence)  # (D or 1, P, 1 or T, N, C)
        return queries + video, video.mean(2)


def one_layer(predictions: Predictions, layer: int) -> Predictions:
    """The predictions of a single decoder layer, D = 1."""
    return replace(
        predictions, **{
            name: getattr(predictions, name)[layer][None]
            for name in ('queries', 'references', 'logits', 'boxes')
        })
