from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import Linear
from mmdet.models.layers import MLP
from mmdet.utils import reduce_mean
from mmengine.model import ModuleList, bias_init_with_prob
from torch import Tensor, nn

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.utils import apply_init_cfg

from ..checkpointing import Checkpointed
from ..decoders.language_query_decoder import refine
from ..features import QueryPredictions, Targets
from ..losses import mask_targets, sequence_dice, sigmoid_focal
from ..task_modules import smooth_giou
from .base import BaseRVOSHead
from .dynamic_mask import DynamicMaskLayers

STRIDE = 4  # of the mask features


@MODELS.register_module()
class ReferringHead(Checkpointed, BaseRVOSHead):
    """Class, box and dynamic-mask heads of ReferFormer, and their losses.

    Args:
        num_classes: K; 1 distinguishes only referred and not referred.
        num_layers: D, decoder layers; each has its own class and box head,
            or all share one without ``box_refinement``.
        embed_dims: C of the queries.
        mask_channels: channels of the mask features.
        dynamic_channels: hidden channels of the dynamic convolution.
        relative_coords: the dynamic convolution also takes the vector from
            each cell to the reference, in pixels.
        box_refinement: the decoder refines references with the box heads.
        mask_target: how target masks are reduced to stride 4: 'subsample'
            (the pixel at [2::4, 2::4], official) or 'average' (of 4 x 4
            pixels).
        loss_weights: of 'cls', 'bbox', 'giou', 'mask' and 'dice'; the same
            for every decoder layer.
        matcher: config of the matcher.

    Raises:
        ValueError: ``mask_target`` or the name of a loss is unknown.
    """
    LOSS_WEIGHTS = dict(cls=2., bbox=5., giou=2., mask=2., dice=5.)

    def __init__(self,
                 *,
                 num_classes: int = 1,
                 num_layers: int = 4,
                 embed_dims: int = 256,
                 mask_channels: int = 256,
                 dynamic_channels: int = 8,
                 relative_coords: bool = True,
                 box_refinement: bool = True,
                 mask_target: str = 'subsample',
                 loss_weights: dict[str, float] | None = None,
                 matcher: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(loss_weights=loss_weights, init_cfg=init_cfg)
        if mask_target not in ('subsample', 'average'):
            raise ValueError("mask_target is 'subsample' or 'average', got "
                             f'{mask_target!r}')
        self.num_classes = num_classes
        self.box_refinement = box_refinement
        self.mask_target = mask_target
        self.matcher = TASK_UTILS.build(
            matcher or dict(type='SequenceMatcher'))

        count = num_layers if box_refinement else 1
        self.class_branches = ModuleList(
            Linear(embed_dims, num_classes) for _ in range(count))
        self.box_branches = ModuleList(
            MLP(embed_dims, embed_dims, 4, 3) for _ in range(count))
        self.dynamic_layers = DynamicMaskLayers(mask_channels,
                                                dynamic_channels,
                                                relative_coords)
        self.controller = MLP(embed_dims, embed_dims,
                              self.dynamic_layers.num_params, 3)

    def init_weights(self) -> None:
        for branch in self.class_branches:
            nn.init.constant_(branch.bias, bias_init_with_prob(0.01))
        for index, branch in enumerate(self.box_branches):
            nn.init.zeros_(branch.layers[-1].weight)
            nn.init.zeros_(branch.layers[-1].bias)
            if index == 0:  # the initial boxes are small
                nn.init.constant_(branch.layers[-1].bias[2:], -2.)
        for layer in self.controller.layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        apply_init_cfg(self)

    def refiners(self) -> nn.ModuleList | None:
        """Return the box heads with which the decoder refines references."""
        return self.box_branches if self.box_refinement else None

    def forward(self, queries: Tensor, initial: Tensor, references: Tensor,
                mask_features: Tensor,
                image_sizes: Tensor) -> QueryPredictions:
        """Predict class and box of every query.

        Args:
            queries: (D, P, T, N, C).
            initial: (P, T, N, 2), references before the first layer.
            references: (D, P, T, N, 4 or 2), after each layer.
            mask_features: (P, T, mask_channels, h, w).
            image_sizes: (P, 2), (height, width) without padding.
        """
        return QueryPredictions(
            queries=queries,
            references=references,
            logits=self.classify(queries),
            boxes=self.locate(queries, initial, references),
            mask_features=mask_features,
            image_sizes=image_sizes)

    def classify(self, queries: Tensor) -> Tensor:
        """Predict class logits (D, P, T, N, K) of queries (D, P, T, N, C)."""
        return torch.stack([
            self.class_branches[layer if self.box_refinement else 0](states)
            for layer, states in enumerate(queries)
        ])

    def locate(self, queries: Tensor, initial: Tensor,
               references: Tensor) -> Tensor:
        """Predict boxes (D, P, T, N, 4); arguments as in :meth:`forward`.

        The box refines the reference before its layer. It is computed again
        because the references of the decoder are detached.
        """
        if self.box_refinement:
            before = [initial, *references[:-1]]
            branches = self.box_branches
        else:
            before = [initial] * len(queries)
            branches = [self.box_branches[0]] * len(queries)
        return torch.stack([
            refine(branch(states), reference) for branch, states, reference in
            zip(branches, queries, before, strict=True)
        ])

    def masks(self,
              predictions: QueryPredictions,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Build mask logits at stride 4; see the base class."""
        pick = slice(None) if layer is None else [layer]
        queries = predictions.queries[pick]
        centres = predictions.references[pick][..., :2]
        if chosen is not None:
            chosen = chosen.expand(len(queries), -1)
            queries = of_matched(queries, chosen).unsqueeze(3)
            centres = of_matched(centres, chosen).unsqueeze(3)
        layers, pairs, frames, num_queries = queries.shape[:4]

        def per_frame(x: Tensor) -> Tensor:  # (P*T, D*N, ...)
            return x.permute(1, 2, 0, 3, 4).flatten(0, 1).flatten(1, 2)

        size = predictions.image_sizes.flip(-1)[:, None, None]  # width, height
        masks = self.recomputed(
            self.dynamic_layers, predictions.mask_features.flatten(0, 1),
            self.controller(per_frame(queries)),
            per_frame(centres * size), STRIDE, predictions.mask_projection)
        return masks.view(pairs, frames, layers, num_queries,
                          *masks.shape[-2:]).permute(2, 0, 1, 3, 4, 5)

    def loss(self, predictions: QueryPredictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the losses of all layers (ReferFormer, section 3.5).

        Every loss is a sum over the batch divided by the number of frames
        that show their object, averaged over the GPUs. As in the official
        code, frames without the object count in the L1 and GIoU losses with a
        zero box, and the mask losses have one value per clip.
        """
        masks, build = self.masks_for_loss(predictions)
        # sums over the pixels of a clip overflow half precision
        with torch.autocast(masks.device.type, enabled=False):
            matched = self.match(predictions.logits.float(),
                                 predictions.boxes.float(), masks.float(),
                                 targets)
        mask = build(matched)
        with torch.autocast(masks.device.type, enabled=False):
            return self.loss_by_layer(predictions.logits.float(),
                                      predictions.boxes.float(), mask.float(),
                                      targets, matched)

    def masks_for_loss(
            self, predictions: QueryPredictions
    ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Build the masks of all queries, which the matcher needs.

        Only the masks of the matched queries have gradients. With several
        queries they are built again, and the graph of all masks is freed.

        Returns:
            (D, P, T, N, h, w) logits, and a function that returns those of
            the matched queries, (D, P) to (D, P, T, h, w).
        """
        masks = self.masks(predictions)
        if masks.shape[3] == 1:
            return masks, partial(of_matched, masks)
        # not built under no_grad: autocast would keep the casted weights of
        # that context, which have no gradients
        return masks.detach(), lambda matched: self.masks(
            predictions, chosen=matched).squeeze(3)

    def match(self, logits: Tensor, boxes: Tensor, masks: Tensor,
              targets: Targets) -> Tensor:
        """Match each target with a query sequence.

        Args:
            logits: (D, P, T, N, K).
            boxes: (D, P, T, N, 4).
            masks: (D, P, T, N, h, w) logits.
            targets: of size (4h, 4w), or up to 3 pixels less.

        Returns:
            (D, P) long.
        """
        return self.matcher(logits, boxes, masks, targets.boxes,
                            self.small_masks(targets), targets.valid,
                            self.target_labels(targets))

    def loss_by_layer(self, logits: Tensor, boxes: Tensor, mask: Tensor,
                      targets: Targets,
                      matched: Tensor) -> dict[str, Tensor]:
        """:meth:`loss` on plain tensors.

        Args:
            logits, boxes, targets: as in :meth:`match`.
            mask: (D, P, T, h, w), logits of the matched queries.
            matched: (D, P), the query sequence of each target.
        """
        losses = self.class_and_box_losses(
            logits, boxes, targets, self.target_labels(targets), matched)
        losses |= mask_losses(mask, self.small_masks(targets))
        num_valid = count_valid(targets)
        return self.weigh(
            {name: values / num_valid for name, values in losses.items()})

    def mask_loss(self, masks: Tensor,
                  targets: Targets) -> dict[str, Tensor]:
        """Compute the mask losses of the sequence with the lowest mask cost.

        They are normalised and weighted as in :meth:`loss` (HTML, Eq. 7).

        Args:
            masks: (D, P, T, N, h, w) logits.
            targets: of the same frames.
        """
        gt_masks = self.small_masks(targets)
        num_valid = count_valid(targets)
        with torch.autocast(masks.device.type, enabled=False):
            masks = masks.float()
            matched = self.matcher.match_masks(masks, gt_masks)
            losses = mask_losses(of_matched(masks, matched), gt_masks)
            return self.weigh(
                {name: values / num_valid for name, values in losses.items()})

    def small_masks(self, targets: Targets) -> Tensor:
        """Return the target masks at stride 4, (P, T, h, w) float."""
        return mask_targets(targets.masks, STRIDE,
                            self.mask_target == 'average')

    def target_labels(self, targets: Targets) -> Tensor:
        """Return the class of each target, (P,) long; 0 where K = 1."""
        if self.num_classes > 1:
            return targets.labels
        return torch.zeros_like(targets.labels)

    def class_and_box_losses(self, logits: Tensor, boxes: Tensor,
                             targets: Targets, labels: Tensor,
                             matched: Tensor) -> dict[str, Tensor]:
        """Compute class and box losses, sums over the batch, (D,) each.

        Args:
            labels: (P,).
            matched: (D, P), the query sequence of each target.
        """
        positive = F.one_hot(matched, logits.shape[3])[:, :, None, :, None]
        classes = F.one_hot(labels, self.num_classes)[:, None, None]
        shown = targets.valid.float()[:, :, None, None]
        box = of_matched(boxes, matched)
        return dict(
            cls=sigmoid_focal(logits,
                              positive * classes * shown).sum((1, 2, 3, 4)),
            bbox=(box - targets.boxes).abs().sum((1, 2, 3)),
            giou=(1 - smooth_giou(box, targets.boxes)).sum((1, 2)))


def count_valid(targets: Targets) -> Tensor:
    """Count the frames that show their object: the mean over the GPUs, at
    least 1."""
    return reduce_mean(targets.valid.float().sum()).clamp(min=1)


def mask_losses(mask: Tensor, gt_masks: Tensor) -> dict[str, Tensor]:
    """Compute focal and dice loss per clip, summed over the pairs.

    Args:
        mask: (D, P, T, h, w) logits of the matched queries.
        gt_masks: (P, T, h, w) float.

    Returns:
        (D,) each.
    """
    mask = mask.flatten(2)
    gt_masks = gt_masks.flatten(1).expand_as(mask)
    return dict(
        mask=sigmoid_focal(mask, gt_masks).mean(-1).sum(1),
        dice=sequence_dice(mask, gt_masks).sum(1))


def of_matched(x: Tensor, matched: Tensor) -> Tensor:
    """Select the matched query sequence of each target.

    Args:
        x: (D, P, T, N, ...).
        matched: (D, P), index of the query.

    Returns:
        (D, P, T, ...).
    """
    layer = torch.arange(len(matched), device=x.device)[:, None]
    pair = torch.arange(matched.shape[1], device=x.device)
    return x.transpose(2, 3)[layer, pair, matched]
