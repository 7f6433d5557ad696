from torch import Tensor

from mmrvos.registry import MODELS

from ..features import QueryPredictions
from .referring_head import ReferringHead


@MODELS.register_module()
class MUTRHead(ReferringHead):
    """ReferFormer's heads and losses, with video queries.

    Classes and mask kernels are predicted from the video queries and are
    therefore equal in all frames. Boxes and reference points are those of
    each frame. See :class:`ReferringHead` for the arguments.
    """

    def forward(self, queries: Tensor, initial: Tensor, references: Tensor,
                mask_features: Tensor, image_sizes: Tensor,
                video_queries: Tensor) -> QueryPredictions:
        """Predict class and box of every query.

        Args:
            queries, initial, references, mask_features, image_sizes: see
                :class:`ReferringHead`.
            video_queries: (D or 1, P, 1 or T, N, C). With one layer, the
                classifiers of all decoder layers get its queries.

        Returns:
            Predictions whose ``queries`` are the video queries.
        """
        video = video_queries.expand_as(queries)
        return QueryPredictions(
            queries=video,
            references=references,
            logits=self.classify(video),
            boxes=self.locate(queries, initial, references),
            mask_features=mask_features,
            image_sizes=image_sizes)
