from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.models.layers import MLP
from mmengine.model import bias_init_with_prob
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..features import Predictions, Targets
from ..losses import (
    balanced_cross_entropy,
    mask_boundaries,
    sequence_dice,
    sigmoid_focal,
)
from ..pixel_decoders import PyramidDecoder
from .base import BaseRVOSHead


@dataclass(kw_only=True)
class AlignedPredictions(Predictions):
    """Predictions of MLRL.

    ``logits`` are the confidence of each frame, (1, P, T, 1, 1), as that of a
    single query. ``dense`` are the pixel features of all levels, aligned with
    the sentence, (P*T, M, h, w); all masks are predicted from them.

    Args:
        objects: (B*T, C, h, w), the object embedding, or None.
        pyramid: (B*T, C_i, h_i, w_i) each, the backbone's maps, fine to
            coarse.
        video_index: (P,) long, the video of each pair.
    """
    objects: Tensor | None
    pyramid: Sequence[Tensor]
    video_index: Tensor

    @property
    def num_frames(self) -> int:
        """T."""
        return self.logits.shape[2]

    @property
    def rows(self) -> Tensor:
        """(P*T,) long, the row of the pyramid for each aligned map."""
        frames = torch.arange(self.num_frames, device=self.video_index.device)
        return (self.video_index[:, None] * self.num_frames + frames).flatten()


@MODELS.register_module()
class BoundaryAwareHead(BaseRVOSHead):
    """MLRL's boundary-aware segmentation and its losses (sections 3.3, 3.4).

    Two pyramid decoders predict a boundary and a segmentation. A 3x3
    convolution combines both into the mask. In training a third decoder
    segments all salient objects from the object embedding.

    Args:
        in_channels: M, channels of the aligned features.
        object_channels: of the object embedding; None without that level.
        pyramid_channels: of the backbone's maps, fine to coarse.
        channels: width of the decoders.
        num_groups: of their norms.
        hidden_channels: of the confidence head.
        loss_weights: of 'object_mask', 'object_dice', 'mask', 'dice',
            'boundary' and 'confidence'; a mask loss is a focal loss.

    Raises:
        ValueError: the name of a loss is unknown.
    """
    LOSS_WEIGHTS = dict(
        object_mask=1.,
        object_dice=1.,
        mask=1.,
        dice=1.,
        boundary=0.2,
        confidence=0.1)

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
        super().__init__(loss_weights=loss_weights, init_cfg=init_cfg)

        def decoder(num: int, bias: float) -> PyramidDecoder:
            return PyramidDecoder(
                in_channels=num,
                pyramid_channels=pyramid_channels,
                channels=channels,
                num_groups=num_groups,
                bias=bias)

        # few pixels belong to the object
        rare = bias_init_with_prob(0.01)
        self.boundary = decoder(in_channels, 0.)
        self.segmentation = decoder(in_channels, rare)
        self.objects = (
            None if object_channels is None else decoder(
                object_channels, rare))
        self.refine = nn.Conv2d(2, 1, 3, padding=1)
        self.confidence = MLP(in_channels, hidden_channels, 1, 3)

    def init_weights(self) -> None:
        for decoder in (self.boundary, self.segmentation, self.objects):
            if decoder is not None:
                decoder.init_weights()
        # the initial mask is the segmentation
        nn.init.zeros_(self.refine.weight)
        nn.init.ones_(self.refine.weight[:, 1, 1, 1])
        nn.init.zeros_(self.refine.bias)
        apply_init_cfg(self)

    def forward(self, aligned: Tensor, objects: Tensor | None,
                pyramid: Sequence[Tensor], video_index: Tensor,
                padding: Tensor | None, image_sizes: Tensor,
                input_size: tuple[int, int]) -> AlignedPredictions:
        """Predict the confidence of every frame; masks are built on demand.

        The confidence pools the cells of the image, without padding.

        Args:
            aligned: (P*T, M, h, w), pixel features of all levels, aligned
                with the sentence.
            padding: (P, h, w) bool, True where padded, or None.

        The other arguments are fields of :class:`AlignedPredictions`.
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
        return AlignedPredictions(
            dense=aligned,
            objects=objects,
            pyramid=pyramid,
            video_index=video_index,
            logits=logits.view(1, len(video_index), -1, 1, 1),
            image_sizes=image_sizes,
            input_size=input_size)

    def maps(self, predictions: AlignedPredictions) -> tuple[Tensor, Tensor]:
        """Build mask and boundary logits, (P, T, H, W) each, with padding."""
        arguments = (predictions.dense, predictions.pyramid,
                     predictions.input_size, predictions.rows)
        boundary = self.boundary(*arguments)
        both = torch.stack([boundary, self.segmentation(*arguments)], dim=1)
        shape = (-1, predictions.num_frames, *predictions.input_size)
        return self.refine(both).view(shape), boundary.view(shape)

    def masks(self,
              predictions: AlignedPredictions,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Build mask logits of full size.

        There is one layer and one mask per pair, so ``layer`` and ``chosen``
        select nothing.

        Returns:
            (1, P, T, 1, H, W), with padding.
        """
        return self.maps(predictions)[0][None, :, :, None]

    def loss(self, predictions: AlignedPredictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the losses of MLRL (Eq. 7, 14 and 16), means over the batch.

        Eq. 14 exchanges the losses of mask and boundary; this follows the
        text around it.

        Raises:
            ValueError: the object level needs masks of all objects, which
                the pipeline does not load.
        """
        masks, boundaries = self.maps(predictions)
        objects = None
        if self.objects is not None:
            objects = self.objects(predictions.objects, predictions.pyramid,
                                   predictions.input_size).unflatten(
                                       0, (-1, predictions.num_frames))
        # sums over the pixels of a clip overflow half precision
        with torch.autocast(masks.device.type, enabled=False):
            shown = inside(predictions.image_sizes, predictions.input_size)
            losses = self.instance_losses(masks.float(), boundaries.float(),
                                          targets, shown)
            confidence = predictions.logits[0, ..., 0, 0].float().sigmoid()
            quality = mask_iou((masks > 0) & shown, targets.masks)
            losses['confidence'] = (confidence - quality).square().mean()
            if objects is not None:
                losses.update(
                    mask_losses(
                        objects.float(),
                        all_objects(targets, predictions.video_index,
                                    len(objects)),
                        'object_'))
        return self.weigh(
            {name: value[None] for name, value in losses.items()})

    def instance_losses(self, masks: Tensor, boundaries: Tensor,
                        targets: Targets,
                        shown: Tensor) -> dict[str, Tensor]:
        """Compute the losses of the referred object.

        Args:
            masks, boundaries: (P, T, H, W) logits.
            targets: of P pairs.
            shown: (P, 1, H, W) bool, see :func:`inside`.
        """
        boundary = balanced_cross_entropy(
            boundaries.flatten(1),
            mask_boundaries(targets.masks, shown).flatten(1))
        return dict(
            mask_losses(masks, targets.masks), boundary=boundary.mean())


def mask_losses(logits: Tensor, masks: Tensor,
                prefix: str = '') -> dict[str, Tensor]:
    """Compute focal and dice loss of whole clips.

    Args:
        logits: (P, T, H, W).
        masks: (P, T, H, W) bool.
        prefix: of the names of the losses.
    """
    logits, masks = logits.flatten(1), masks.flatten(1).float()
    return {
        f'{prefix}mask': sigmoid_focal(logits, masks).mean(),
        f'{prefix}dice': sequence_dice(logits, masks).mean()
    }


def inside(image_sizes: Tensor, input_size: tuple[int, int]) -> Tensor:
    """Mark the pixels of the images without their padding.

    Args:
        image_sizes: (P, 2), (height, width) without padding.
        input_size: (H, W) with padding.

    Returns:
        (P, 1, H, W) bool.
    """
    height, width = (torch.arange(length, device=image_sizes.device)
                     for length in input_size)
    rows, columns = height < image_sizes[:, :1], width < image_sizes[:, 1:]
    return (rows[:, :, None] & columns[:, None])[:, None]


def mask_iou(masks: Tensor, targets: Tensor) -> Tensor:
    """Compute the IoU of each frame; two empty masks have IoU 1.

    Args:
        masks, targets: (P, T, H, W) bool.

    Returns:
        (P, T).
    """
    overlap = (masks & targets).sum((2, 3))
    union = (masks | targets).sum((2, 3))
    return torch.where(union > 0, overlap / union.clamp(min=1), 1.)


def all_objects(targets: Targets, video_index: Tensor,
                num_videos: int) -> Tensor:
    """Merge the masks of all annotated objects, (B, T, H, W) bool.

    Args:
        targets: of P pairs; each pair has all objects of its video.
        video_index: (P,) long, the video of each.
        num_videos: B.
    """
    if targets.others is None:
        raise ValueError(
            "MLRL's object level is trained with all objects of a clip: set "
            'all_objects=True in the LoadClipMasks of the training pipeline')
    pairs = torch.stack([
        own | others.any(0)
        for own, others in zip(targets.masks, targets.others, strict=True)
    ])
    videos = pairs.new_zeros(num_videos, *pairs.shape[1:])
    videos[video_index] = pairs  # equal for all pairs of a video
    return videos
