from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from mmrvos.registry import MODELS

from ..features import Predictions, Targets
from ..layers import upsample
from ..losses import sequence_dice, sigmoid_focal
from .base import BaseRVOSHead


@dataclass
class Decisions:
    """Decisions of the conditional memory encoder in training.

    Args:
        logits: (n, 2), of keeping and of switching; video by video, frame by
            frame.
        labels: (n,) long, 1 for a switch, -1 for a decision without loss.
    """
    logits: Tensor
    labels: Tensor


@dataclass(kw_only=True)
class SAMWISEPredictions(Predictions):
    """Predictions of SAMWISE.

    ``logits`` are the object scores of each frame, (1, P, T, 1, 1), as those
    of a single query. ``input_size`` is the largest image of the batch.

    Args:
        square_masks: (P, T, 4G, 4G) logits, stride 4 of the padded square.
        image_size: S, pixels of the square.
        decisions: None where none were made.
    """
    square_masks: Tensor
    image_size: int
    decisions: Decisions | None = None

    def take(self, frames: Tensor) -> 'SAMWISEPredictions':
        """Take some frames of each pair; T becomes T'.

        Args:
            frames: (P, T') long, positions in the clip.
        """
        pairs = torch.arange(len(frames), device=frames.device)[:, None]
        dense = self.dense.unflatten(0, (len(frames), -1))
        return replace(
            self,
            logits=self.logits[:, pairs, frames],
            square_masks=self.square_masks[pairs, frames],
            dense=dense[pairs, frames].flatten(0, 1))


@MODELS.register_module()
class SAMWISEHead(BaseRVOSHead):
    """Masks and losses of SAMWISE; it has no weights.

    Args:
        stretch: resize masks to the padded size of the targets for the loss,
            as the official code does. The image is stretched where its size
            is no multiple of the padding. False pads the masks.
        switch_weight: class weight of a switch in the loss of the decisions;
            that of keeping is 1.
        loss_weights: of 'mask' (a focal loss), 'dice' and 'decision'.
    """
    LOSS_WEIGHTS = dict(mask=1., dice=1., decision=1.)

    def __init__(self,
                 *,
                 stretch: bool = True,
                 switch_weight: float = 2.,
                 loss_weights: dict[str, float] | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(loss_weights=loss_weights, init_cfg=init_cfg)
        self.stretch = stretch
        self.switch_weight = switch_weight

    def forward(self, masks: Tensor, scores: Tensor, image_size: int,
                image_sizes: Tensor, input_size: tuple[int, int],
                dense: Tensor,
                decisions: Decisions | None = None) -> SAMWISEPredictions:
        """Collect the predictions; see :class:`SAMWISEPredictions`.

        Args:
            masks: (P, T, 4G, 4G) logits.
            scores: (P, T) logits of the object.

        The other arguments are fields of the predictions.
        """
        return SAMWISEPredictions(
            logits=scores[None, ..., None, None],
            square_masks=masks,
            image_size=image_size,
            image_sizes=image_sizes,
            input_size=input_size,
            dense=dense,
            decisions=decisions)

    def masks(self,
              predictions: SAMWISEPredictions,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Build mask logits of the size of the frames.

        There is one layer and one mask per pair, so ``layer`` and ``chosen``
        select nothing.

        Returns:
            (1, P, T, 1, h, w), the size of the largest image of the batch.
        """
        masks = cut(predictions, predictions.input_size)
        return masks[None, :, :, None]

    def loss(self, predictions: SAMWISEPredictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the losses, means over the pairs of a batch."""
        # sums over the pixels of a clip overflow half precision
        with torch.autocast(predictions.logits.device.type, enabled=False):
            masks = targets.masks
            if self.stretch:
                logits = cut(predictions, predictions.input_size)
            else:
                logits = cut(predictions, masks.shape[-2:])
                # the square may be smaller than a frame, see pad_to_square
                masks = masks[..., :logits.shape[-2], :logits.shape[-1]]
            losses = self.mask_losses(logits, masks)
            if predictions.decisions is not None:
                losses['decision'] = self.decision_loss(predictions.decisions)
        return self.weigh(
            {name: value[None] for name, value in losses.items()})

    def mask_losses(self, logits: Tensor, masks: Tensor) -> dict[str, Tensor]:
        """Compute focal and dice loss of whole clips, means over the pairs.

        Args:
            logits: (P, T, h, w), resized to the masks.
            masks: (P, T, H, W) bool.
        """
        logits = upsample(logits, masks.shape[-2:]).flatten(1)
        masks = masks.flatten(1).float()
        return dict(
            mask=sigmoid_focal(logits, masks).mean(),
            dice=sequence_dice(logits, masks).mean())

    def decision_loss(self, decisions: Decisions) -> Tensor:
        """Compute the weighted cross-entropy; 0 if all are ignored."""
        logits, labels = decisions.logits.float(), decisions.labels
        weights = logits.new_tensor([1., self.switch_weight])
        total = F.cross_entropy(
            logits, labels, weights, ignore_index=-1, reduction='sum')
        weight = weights[labels[labels >= 0]].sum()
        return total / torch.where(weight > 0, weight, 1.)


def cut(predictions: SAMWISEPredictions,
        size: Sequence[int]) -> Tensor:
    """Resize masks to the pixels of the square, and cut off its padding.

    Args:
        predictions: of P pairs.
        size: (height, width) that are kept.

    Returns:
        (P, T, height, width) logits; at most S pixels per side.
    """
    masks = upsample(predictions.square_masks.float(),
                     (predictions.image_size, ) * 2)
    return masks[..., :size[0], :size[1]]
