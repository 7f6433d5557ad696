import math
from dataclasses import dataclass

import torch
from mmdet.utils import reduce_mean
from torch import Tensor

from mmrvos.registry import MODELS

from ..features import QueryPredictions, Targets
from ..layers import upsample
from ..losses import sequence_dice, sigmoid_focal
from .referring_head import ReferringHead, of_matched


@dataclass(kw_only=True)
class SOCPredictions(QueryPredictions):
    """Predictions of SOC.

    Args:
        video_queries: (D, P, N, C); D is 1 at test time.
        guidance: (P, C), text features for the contrastive loss.
    """
    video_queries: Tensor
    guidance: Tensor


@MODELS.register_module()
class SOCHead(ReferringHead):
    """ReferFormer's heads on SOC's queries, with SOC's losses.

    Masks are supervised frame by frame at full size, including frames without
    the object. A contrastive loss aligns the video queries with the text
    (SOC, sections 3.4 and 3.5).

    Args:
        contrast_scale: what the dot product of a video query and the text is
            divided by: 'dim' (C, the official code) or 'sqrt_dim' (its root,
            the paper's Eq. 6).
        loss_weights: of 'cls', 'bbox', 'giou', 'mask', 'dice' and 'con'; the
            same for every decoder layer.
        num_classes, num_layers, embed_dims, mask_channels: as in
            :class:`ReferringHead`.
        dynamic_channels, relative_coords, box_refinement, matcher: as in
            :class:`ReferringHead`.

    Raises:
        ValueError: ``contrast_scale`` or the name of a loss is unknown.
    """
    LOSS_WEIGHTS = dict(cls=2., bbox=2., giou=2., mask=2., dice=5., con=1.)

    def __init__(self,
                 *,
                 contrast_scale: str = 'dim',
                 num_classes: int = 1,
                 num_layers: int = 3,
                 embed_dims: int = 256,
                 mask_channels: int = 8,
                 dynamic_channels: int = 8,
                 relative_coords: bool = True,
                 box_refinement: bool = True,
                 loss_weights: dict[str, float] | None = None,
                 matcher: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(
            num_classes=num_classes,
            num_layers=num_layers,
            embed_dims=embed_dims,
            mask_channels=mask_channels,
            dynamic_channels=dynamic_channels,
            relative_coords=relative_coords,
            box_refinement=box_refinement,
            loss_weights=loss_weights,
            matcher=matcher or dict(type='FrameMatcher'),
            init_cfg=init_cfg)
        scales = dict(dim=embed_dims, sqrt_dim=math.sqrt(embed_dims))
        if contrast_scale not in scales:
            raise ValueError(f'contrast_scale is one of {list(scales)}, got '
                             f'{contrast_scale!r}')
        self.contrast_scale = scales[contrast_scale]

    def forward(self, queries: Tensor, initial: Tensor, references: Tensor,
                mask_features: Tensor, image_sizes: Tensor,
                video_queries: Tensor, guidance: Tensor) -> SOCPredictions:
        """Predict class and box of every query.

        Args:
            queries, initial, references, mask_features, image_sizes: see
                :class:`ReferringHead`.
            video_queries, guidance: see :class:`SOCPredictions`.
        """
        predictions = super().forward(queries, initial, references,
                                      mask_features, image_sizes)
        return SOCPredictions(
            **vars(predictions),
            video_queries=video_queries,
            guidance=guidance)

    def loss(self, predictions: SOCPredictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the losses of all layers (SOC, Eq. 9).

        All but the contrastive loss are sums over the batch divided by the
        number of its frames, averaged over the GPUs.
        """
        masks = self.masks(predictions)
        # sums over the pixels of a frame overflow half precision
        with torch.autocast(masks.device.type, enabled=False):
            return self.loss_by_layer(predictions.logits.float(),
                                      predictions.boxes.float(),
                                      masks.float(), targets,
                                      predictions.video_queries.float(),
                                      predictions.guidance.float())

    def loss_by_layer(self, logits: Tensor, boxes: Tensor, masks: Tensor,
                      targets: Targets, video: Tensor,
                      guidance: Tensor) -> dict[str, Tensor]:
        """:meth:`loss` on plain tensors.

        Args:
            logits: (D, P, T, N, K).
            boxes: (D, P, T, N, 4).
            masks: (D, P, T, N, h, w) logits.
            targets: their masks are (P, T, H, W).
            video: (D, P, N, C), video queries.
            guidance: (P, C), text features that they are compared with.
        """
        labels = self.target_labels(targets)
        matched = self.matcher(logits, boxes, masks, targets.boxes,
                               targets.masks, targets.valid, labels)
        losses = self.class_and_box_losses(logits, boxes, targets, labels,
                                           matched)
        gt_masks = targets.masks.float()
        mask = upsample(of_matched(masks, matched), gt_masks.shape[-2:])
        gt_masks = gt_masks.expand_as(mask)
        focal = sigmoid_focal(mask, gt_masks)
        losses['mask'] = focal.mean((-2, -1)).sum((1, 2))
        losses['dice'] = sequence_dice(mask.flatten(-2),
                                       gt_masks.flatten(-2)).sum((1, 2))
        frames = reduce_mean(logits.new_full((), targets.valid.numel()))
        losses = {name: values / frames for name, values in losses.items()}
        losses['con'] = self.contrast(video, guidance, matched)
        return self.weigh(losses)

    def contrast(self, video: Tensor, guidance: Tensor,
                 matched: Tensor) -> Tensor:
        """Classify the matched video query by its similarity to the text
        (Eq. 6).

        Returns:
            (D,), mean over the pairs.
        """
        similarity = torch.einsum('dpnc,pc->dpn', video, guidance)
        logs = (similarity / self.contrast_scale).log_softmax(-1)
        return -logs.gather(-1, matched[..., None])[..., 0].mean(1)
