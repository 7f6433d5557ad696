from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import Linear
from mmdet.models.layers import MLP
from mmdet.utils import reduce_mean
from torch import Tensor

from mmrvos.registry import MODELS, TASK_UTILS

from ..features import QueryPredictions, Targets
from ..layers import upsample
from ..losses import sequence_dice, sigmoid_focal
from ..task_modules import assign
from .base import BaseRVOSHead


@MODELS.register_module()
class ReferredInstanceHead(BaseRVOSHead):
    """MTTR's heads and losses: masks of all instances, one of them referred.

    A mask is the inner product of the query's kernel and the mask features.
    The logit of the only class is the difference of two scores, referred and
    not referred: its sigmoid equals the softmax of the two (MTTR, sections
    3.4 and 3.5).

    Args:
        embed_dims: C of the queries.
        mask_channels: channels of kernels and mask features.
        unreferred_weight: weight, in the loss of the scores, of queries that
            do not match the referred object.
        loss_weights: of 'referred', 'mask' (focal) and 'dice'; the same for
            every decoder layer.
        matcher: config of the matcher.

    Raises:
        ValueError: the name of a loss is unknown.
    """
    LOSS_WEIGHTS = dict(referred=2., mask=2., dice=5.)

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 mask_channels: int = 8,
                 unreferred_weight: float = 0.1,
                 loss_weights: dict[str, float] | None = None,
                 matcher: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(loss_weights=loss_weights, init_cfg=init_cfg)
        self.unreferred_weight = unreferred_weight
        self.matcher = TASK_UTILS.build(
            matcher or dict(type='InstanceMatcher'))
        self.scores = Linear(embed_dims, 2)
        self.kernels = MLP(embed_dims, embed_dims, mask_channels, 2)

    def forward(self, queries: Tensor, mask_features: Tensor,
                image_sizes: Tensor,
                input_size: tuple[int, int]) -> QueryPredictions:
        """Predict the score of every query.

        Args:
            queries: (D, P, T, N, C).
            mask_features: (P, T, mask_channels, h, w).
            image_sizes: (P, 2), (height, width) without padding.
            input_size: (height, width) with padding.
        """
        referred, other = self.scores(queries).split(1, dim=-1)
        return QueryPredictions(
            queries=queries,
            references=None,
            logits=referred - other,
            boxes=None,
            mask_features=mask_features,
            image_sizes=image_sizes,
            input_size=input_size)

    def masks(self,
              predictions: QueryPredictions,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Build mask logits at stride 4; see the base class."""
        queries = predictions.queries
        if layer is not None:
            queries = queries[layer][None]
        if chosen is not None:
            pairs = torch.arange(len(chosen), device=chosen.device)
            queries = queries.transpose(2, 3)[:, pairs, chosen].unsqueeze(3)
        return torch.einsum('dptnc,ptchw->dptnhw', self.kernels(queries),
                            predictions.mask_features)

    def loss(self, predictions: QueryPredictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the losses of all layers (MTTR, section 3.5).

        Raises:
            ValueError: the pipeline does not load the other objects.
        """
        masks = self.masks(predictions)
        # sums over the pixels of a frame overflow half precision
        with torch.autocast(masks.device.type, enabled=False):
            return self.loss_by_layer(predictions.logits.float(),
                                      masks.float(), targets)

    def loss_by_layer(self, logits: Tensor, masks: Tensor,
                      targets: Targets) -> dict[str, Tensor]:
        """:meth:`loss` on plain tensors.

        Args:
            logits: (D, P, T, N, 1).
            masks: (D, P, T, N, h, w) logits.
            targets: masks of any size; the logits are resized to it.
        """
        if targets.others is None:
            raise ValueError(
                'ReferredInstanceHead is trained with all objects of a clip: '
                'set all_objects=True in the LoadClipMasks of the training '
                'pipeline')
        # (n, T, H, W) per pair, the referred object first
        objects = [
            torch.cat((own[None], others))
            for own, others in zip(targets.masks, targets.others, strict=True)
        ]
        frames = targets.valid.shape[1]
        num_masks = logits.new_full((), frames * sum(map(len, objects)))
        num_masks = reduce_mean(num_masks).clamp(min=1)
        layers = list(zip(logits[..., 0], masks, strict=True))
        all_matches = assign([
            self.matcher.cost(*pair) for layer in layers
            for pair in zip(*layer, objects, targets.valid, strict=True)
        ])
        losses = []
        for layer, (layer_logits, layer_masks) in enumerate(layers):
            first = layer * len(objects)
            matches = all_matches[first:first + len(objects)]
            focal, dice = self.mask_losses(layer_masks, objects, matches)
            referred = self.referred_loss(layer_logits, targets.valid, matches)
            losses.append(
                torch.stack((referred, focal / num_masks, dice / num_masks)))
        names = ('referred', 'mask', 'dice')
        return self.weigh(
            dict(zip(names, torch.stack(losses, dim=1), strict=True)))

    def referred_loss(self, logits: Tensor, valid: Tensor,
                      matches: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Compute the cross-entropy of the two scores, summed over queries.

        The query that matches the referred object has weight 1 in every
        frame. In frames without the object its target is "not referred".

        Args:
            logits: (P, T, N).
            valid: (P, T) bool, frames that show the referred object.
            matches: matched queries and objects of each pair.
        """
        chosen = torch.zeros(len(logits), logits.shape[-1])  # (P, N)
        for row, (queries, numbers) in zip(chosen, matches, strict=True):
            row[queries[numbers == 0]] = 1
        chosen = chosen.to(logits)
        weights = chosen + self.unreferred_weight * (1 - chosen)
        loss = F.binary_cross_entropy_with_logits(
            logits,
            chosen[:, None] * valid[..., None],
            weights[:, None].expand_as(logits),
            reduction='none')
        return loss.sum(-1).mean()

    @staticmethod
    def mask_losses(masks: Tensor, objects: Sequence[Tensor],
                    matches: Sequence[tuple[Tensor, Tensor]]
                    ) -> tuple[Tensor, Tensor]:
        """Compute focal and dice loss, summed over frames and objects.

        Frames without an object count, with an empty target mask.

        Args:
            masks: (P, T, N, h, w) logits.
            objects: (n, T, H, W) bool per pair.
            matches: matched queries and objects of each pair.
        """
        sums = []
        for logits, gt_masks, (queries, numbers) in zip(
                masks, objects, matches, strict=True):
            gt_masks = gt_masks[numbers.to(gt_masks.device)].float()
            logits = upsample(
                logits[:, queries.to(gt_masks.device)].transpose(0, 1),
                gt_masks.shape[-2:])
            focal = sigmoid_focal(logits, gt_masks).mean((-2, -1)).sum()
            dice = sequence_dice(
                logits.flatten(-2), gt_masks.flatten(-2)).sum()
            sums.append(torch.stack((focal, dice)))
        return torch.stack(sums).sum(0).unbind()
