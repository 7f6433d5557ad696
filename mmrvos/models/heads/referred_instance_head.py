from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import Linear
from mmdet.models.layers import MLP
from mmdet.utils import reduce_mean
from mmengine.model import BaseModule
from torch import Tensor

from mmrvos.registry import MODELS, TASK_UTILS

from ..features import Predictions, Targets
from ..losses import sequence_dice, sigmoid_focal
from ..task_modules import assign, upsample


@MODELS.register_module()
class ReferredInstanceHead(BaseModule):
    """MTTR's heads and losses: masks of all instances, one of them referred.

    A mask is the inner product of the query's kernel and the mask features.
    Two scores, referred and not, go through a softmax; their difference is
    the logit of the only class, since the softmax of two is the sigmoid of
    that (MTTR, sections 3.4 and 3.5).

    Args:
        embed_dims: C of the queries.
        mask_channels: channels of kernels and mask features.
        unreferred_weight: of queries that are not the referred one in the
            loss of the scores.
        loss_weights: of 'referred', 'mask' (focal) and 'dice'; the same for
            every decoder layer.
        matcher: config of the matcher.

    Raises:
        ValueError: an unknown loss name.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 mask_channels: int = 8,
                 unreferred_weight: float = 0.1,
                 loss_weights: dict[str, float] | None = None,
                 matcher: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        weights = dict(referred=2., mask=2., dice=5.)
        if unknown := set(loss_weights or {}) - set(weights):
            raise ValueError(f'unknown losses {sorted(unknown)}, known are '
                             f'{list(weights)}')
        self.unreferred_weight = unreferred_weight
        self.loss_weights = weights | (loss_weights or {})
        self.matcher = TASK_UTILS.build(
            matcher or dict(type='InstanceMatcher'))
        self.scores = Linear(embed_dims, 2)
        self.kernels = MLP(embed_dims, embed_dims, mask_channels, 2)

    def forward(self, queries: Tensor, mask_features: Tensor,
                image_sizes: Tensor,
                input_size: tuple[int, int]) -> Predictions:
        """Scores of every query; masks are built when asked for.

        Args:
            queries: (D, P, T, N, C).
            mask_features: (P, T, mask_channels, h, w).
            image_sizes: (P, 2), (height, width) without padding.
            input_size: (height, width) with padding.
        """
        referred, other = self.scores(queries).split(1, dim=-1)
        return Predictions(
            queries=queries,
            references=None,
            logits=referred - other,
            boxes=None,
            mask_features=mask_features,
            image_sizes=image_sizes,
            input_size=input_size)

    def masks(self,
              predictions: Predictions,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Mask logits at stride 4, of nothing but what is asked for.

        Args:
            layer: a decoder layer; None for all.
            chosen: (P,), one query sequence a pair; None for all.

        Returns:
            (D, P, T, N, h, w), D = 1 with a ``layer``, N = 1 with ``chosen``.
        """
        queries = predictions.queries
        if layer is not None:
            queries = queries[layer][None]
        if chosen is not None:
            pairs = torch.arange(len(chosen), device=chosen.device)
            queries = queries.transpose(2, 3)[:, pairs, chosen].unsqueeze(3)
        return torch.einsum('dptnc,ptchw->dptnhw', self.kernels(queries),
                            predictions.mask_features)

    def loss(self, predictions: Predictions,
             targets: Targets) -> dict[str, Tensor]:
        """Losses of all layers (MTTR, section 3.5).

        Returns:
            ``loss_<name>`` of the last layer and ``d<l>.loss_<name>`` of the
            others, weighted.

        Raises:
            ValueError: the other objects of the clips are not loaded.
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
            targets: masks of any size; the logits are brought to it.
        """
        if targets.others is None:
            raise ValueError('this head learns from all objects of a clip: '
                             'set all_objects=True in LoadClipMasks')
        # (n, T, H, W) of each pair, the referred object first
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
        losses = {}
        for layer, (layer_logits, layer_masks) in enumerate(layers):
            first = layer * len(objects)
            matches = all_matches[first:first + len(objects)]
            focal, dice = self.mask_losses(layer_masks, objects, matches)
            named = dict(
                referred=self.referred_loss(layer_logits, targets.valid,
                                            matches),
                mask=focal / num_masks,
                dice=dice / num_masks)
            prefix = '' if layer == len(logits) - 1 else f'd{layer}.'
            for name, value in named.items():
                losses[f'{prefix}loss_{name}'] = (
                    self.loss_weights[name] * value)
        return losses

    def referred_loss(self, logits: Tensor, valid: Tensor,
                      matches: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Cross-entropy of the two scores, summed over queries.

        The referred object's query has its full weight in every frame, also
        in those without the object, where it shall say "not referred".

        Args:
            logits: (P, T, N).
            valid: (P, T) bool, frames that show the referred object.
            matches: queries and their objects, of each pair.
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
        """Focal and dice, summed over frames and objects.

        Frames that do not show an object have an empty mask and count.

        Args:
            masks: (P, T, N, h, w) logits.
            objects: (n, T, H, W) bool of each pair.
            matches: queries and their objects, of each pair.
        """
        sums = []
        for logits, goals, (queries, numbers) in zip(
                masks, objects, matches, strict=True):
            goals = goals[numbers.to(goals.device)].float()
            logits = upsample(
                logits[:, queries.to(goals.device)].transpose(0, 1),
                goals.shape[-2:])
            focal = sigmoid_focal(logits, goals).mean((-2, -1)).sum()
            dice = sequence_dice(logits.flatten(-2), goals.flatten(-2)).sum()
            sums.append(torch.stack((focal, dice)))
        return torch.stack(sums).sum(0).unbind()
