from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.models.layers import MLP
from mmengine.model import BaseModule, bias_init_with_prob
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import Targets
from ..losses import (
    balanced_cross_entropy,
    mask_boundaries,
    sequence_dice,
    sigmoid_focal,
)
from ..pixel_decoders import PyramidDecoder


@dataclass
class AlignedFeatures:
    """What MLRL's ``decode`` returns; masks are built on demand by the head.

    Args:
        aligned: (P*T, M, h, w), pixels that know the sentence, all levels.
        objects: (B*T, C, h, w), the object embedding, or None.
        pyramid: (B*T, C_i, h_i, w_i) each, the backbone's maps, fine to
            coarse.
        video_index: (P,) long, the video of each pair.
        logits: (1, P, T, 1, 1), the confidence before its sigmoid: what a
            postprocessor takes for the class of a single query.
        image_sizes: (P, 2) float, (height, width) without padding.
        input_size: (H, W) with padding.
        dense: None; a dense method needs no dense loss beside its own.
    """
    aligned: Tensor
    objects: Tensor | None
    pyramid: Sequence[Tensor]
    video_index: Tensor
    logits: Tensor
    image_sizes: Tensor
    input_size: tuple[int, int]
    dense: None = None

    @property
    def num_frames(self) -> int:
        return self.logits.shape[2]

    @property
    def rows(self) -> Tensor:
        """(P*T,) long, the frame of the pyramid for each aligned map."""
        frames = torch.arange(self.num_frames, device=self.video_index.device)
        return (self.video_index[:, None] * self.num_frames + frames).flatten()


@MODELS.register_module()
class BoundaryAwareHead(BaseModule):
    """MLRL's boundary-aware segmentation and its losses (sections 3.3, 3.4).

    Boundary and segmentation come from a pyramid decoder each, and a 3x3
    convolution makes the mask of both. In training a third decoder finds all
    salient objects, from the object embedding alone.

    Args:
        in_channels: M, of the aligned pixels.
        object_channels: of the object embedding; None without that level.
        pyramid_channels: of the backbone's maps, fine to coarse.
        channels: width of the decoders.
        num_groups: of their norms.
        hidden_channels: of the confidence head.
        loss_weights: of 'object_mask', 'object_dice', 'mask', 'dice',
            'boundary' and 'confidence'; a mask loss is a focal loss.

    Raises:
        ValueError: an unknown loss name.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 object_channels: int | None,
                 pyramid_channels: Sequence[int],
                 channels: int = 256,
                 num_groups: int = 8,
                 hidden_channels: int = 256,
                 loss_weights: dict[str, float] | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        weights = dict(
            object_mask=1.,
            object_dice=1.,
            mask=1.,
            dice=1.,
            boundary=0.2,
            confidence=0.1)
        if unknown := set(loss_weights or {}) - set(weights):
            raise ValueError(f'unknown losses {sorted(unknown)}, known are '
                             f'{list(weights)}')
        self.loss_weights = weights | (loss_weights or {})

        def decoder(num: int, bias: float) -> PyramidDecoder:
            return PyramidDecoder(
                in_channels=num,
                pyramid_channels=pyramid_channels,
                channels=channels,
                num_groups=num_groups,
                bias=bias)

        rare = bias_init_with_prob(0.01)  # few pixels are the object's
        self.boundary = decoder(in_channels, 0.)
        self.segmentation = decoder(in_channels, rare)
        self.objects = (
            None if object_channels is None else decoder(
                object_channels, rare))
        self.refine = nn.Conv2d(2, 1, 3, padding=1)
        self.confidence = MLP(in_channels, hidden_channels, 1, 3)

    def init_weights(self) -> None:
        super().init_weights()
        # begin with the segmentation as it is
        nn.init.zeros_(self.refine.weight)
        nn.init.ones_(self.refine.weight[:, 1, 1, 1])
        nn.init.zeros_(self.refine.bias)

    def forward(self, aligned: Tensor, objects: Tensor | None,
                pyramid: Sequence[Tensor], video_index: Tensor,
                padding: Tensor | None, image_sizes: Tensor,
                input_size: tuple[int, int]) -> AlignedFeatures:
        """Predict the confidence of every frame; masks are built on demand.

        Args:
            padding: (P, h, w) bool, True where padded, or None.

        The other arguments are those of :class:`AlignedFeatures`.
        """
        if padding is None:
            means = aligned.mean((2, 3))
        else:
            shown = ~padding[:, None]
            counts = shown.sum((2, 3))
            frames = aligned.unflatten(0, (len(padding), -1))
            sums = (frames * shown[:, None]).sum((3, 4))
            means = (sums / counts[:, None]).flatten(0, 1)
        logits = self.confidence(means)
        return AlignedFeatures(
            aligned=aligned,
            objects=objects,
            pyramid=pyramid,
            video_index=video_index,
            logits=logits.view(1, len(video_index), -1, 1, 1),
            image_sizes=image_sizes,
            input_size=input_size)

    def maps(self, predictions: AlignedFeatures) -> tuple[Tensor, Tensor]:
        """Mask and boundary logits, (P, T, H, W) each, with padding."""
        arguments = (predictions.aligned, predictions.pyramid,
                     predictions.input_size, predictions.rows)
        boundary = self.boundary(*arguments)
        both = torch.stack([boundary, self.segmentation(*arguments)], dim=1)
        shape = (-1, predictions.num_frames, *predictions.input_size)
        return self.refine(both).view(shape), boundary.view(shape)

    def masks(self,
              predictions: AlignedFeatures,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Mask logits without padding, for the postprocessors.

        There is one mask a pair, so ``layer`` and ``chosen`` can only be the
        last and the first. Pairs of one video have one size.

        Returns:
            (1, P, T, 1, H, W).
        """
        height, width = predictions.image_sizes[0].int().tolist()
        masks = self.maps(predictions)[0][..., :height, :width]
        return masks[None, :, :, None]

    def loss(self, predictions: AlignedFeatures,
             targets: Targets) -> dict[str, Tensor]:
        """Losses of MLRL (Eq. 7, 14 and 16), means over the batch.

        In Eq. 14 the boundary has the mask's loss and the mask the
        boundary's; the text around it says the reverse, which is done here.

        Raises:
            ValueError: there is an object level, but no masks of all objects.
        """
        masks, boundaries = self.maps(predictions)
        objects = None
        if self.objects is not None:
            objects = self.objects(predictions.objects, predictions.pyramid,
                                   predictions.input_size).unflatten(
                                       0, (-1, predictions.num_frames))
        # sums over the pixels of a clip overflow half precision
        with torch.autocast(masks.device.type, enabled=False):
            losses = self.instance_losses(masks.float(), boundaries.float(),
                                          targets)
            confidence = predictions.logits[0, ..., 0, 0].float().sigmoid()
            quality = mask_iou(masks > 0, targets.masks)
            losses['confidence'] = (confidence - quality).square().mean()
            if objects is not None:
                losses.update(
                    mask_losses(
                        objects.float(),
                        all_objects(targets, predictions.video_index,
                                    len(objects)),
                        'object_'))
        return {
            f'loss_{name}': self.loss_weights[name] * value
            for name, value in losses.items()
        }

    def instance_losses(self, masks: Tensor, boundaries: Tensor,
                        targets: Targets) -> dict[str, Tensor]:
        """Of the referred object; both arguments are (P, T, H, W) logits."""
        goals = mask_boundaries(targets.masks)
        boundary = balanced_cross_entropy(
            boundaries.flatten(1), goals.flatten(1))
        return dict(
            mask_losses(masks, targets.masks), boundary=boundary.mean())


def mask_losses(logits: Tensor, masks: Tensor,
                prefix: str = '') -> dict[str, Tensor]:
    """Focal and dice loss of whole clips; both arguments (P, T, H, W)."""
    logits, goals = logits.flatten(1), masks.flatten(1).float()
    return {
        f'{prefix}mask': sigmoid_focal(logits, goals).mean(),
        f'{prefix}dice': sequence_dice(logits, goals).mean()
    }


def mask_iou(masks: Tensor, targets: Tensor) -> Tensor:
    """Of every frame; both (P, T, H, W) bool. Two empty masks agree."""
    overlap = (masks & targets).sum((2, 3))
    union = (masks | targets).sum((2, 3))
    return torch.where(union > 0, overlap / union.clamp(min=1), 1.)


def all_objects(targets: Targets, video_index: Tensor,
                num_videos: int) -> Tensor:
    """Where a clip shows any annotated object, (B, T, H, W) bool.

    Args:
        targets: of P pairs; every pair knows all objects of its video.
        video_index: (P,) long, the video of each.
        num_videos: B.
    """
    if targets.others is None:
        raise ValueError(
            "MLRL's object level learns from all objects of a clip: set "
            'all_objects=True in the LoadClipMasks of the training pipeline')
    pairs = torch.stack([
        own | others.any(0)
        for own, others in zip(targets.masks, targets.others, strict=True)
    ])
    videos = pairs.new_zeros(num_videos, *pairs.shape[1:])
    videos[video_index] = pairs  # the same of all pairs of a video
    return videos
