from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

from ..features import ClipFeatures, Predictions, Targets
from ..task_modules import TemporalScale, draw_scales
from .base import collect_targets, image_sizes, stack_clips, valid_indices
from .referformer import ReferFormer

DIRECTIONS = ('coarse_to_fine', 'fine_to_coarse', 'none')


@MODELS.register_module()
class HTML(ReferFormer):
    """HTML (Han et al., ICCV 2023): ReferFormer trained at temporal scales.

    A training clip is decoded once with all its frames and again with fewer
    and fewer of them (section 3.2.1), by the same parameters; masks are also
    predicted across adjacent scales (section 3.3). At test time it is
    ReferFormer, with all frames in a single scale.

    Args:
        num_scales: S; 1 trains ReferFormer.
        stride: h; a scale has one frame out of every h of the scale above.
        direction: of the masks across scales (Table 6c): 'coarse_to_fine',
            kernels of scale s+1 on features of scale s; 'fine_to_coarse', the
            reverse; or 'none'.
        kwargs: of :class:`ReferFormer`.

    Raises:
        ValueError: a number that is too small, or an unknown ``direction``.
    """

    def __init__(self,
                 *,
                 num_scales: int = 3,
                 stride: int = 2,
                 direction: str = 'coarse_to_fine',
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if num_scales < 1 or stride < 2:
            raise ValueError('expected num_scales of at least 1 and a stride '
                             f'of at least 2, got {num_scales=}, {stride=}')
        if direction not in DIRECTIONS:
            raise ValueError(f'direction is one of {DIRECTIONS}, got '
                             f'{direction!r}')
        self.num_scales = num_scales
        self.stride = stride
        self.direction = direction

    def forward(self,
                inputs: Sequence[Tensor],
                data_samples: Sequence[RVOSDataSample],
                mode: str = 'tensor'):
        """As the base class; only the losses know of scales.

        A clip of a single frame has one scale.
        """
        single = len(inputs[0]) == 1
        if mode != 'loss' or self.stage != 'whole' or single:
            return super().forward(inputs, data_samples, mode)
        frames = stack_clips(inputs)
        sizes = image_sizes(data_samples)
        index = valid_indices(data_samples, frames)
        scales = draw_scales(
            tuple(frames.shape[:2]), self.num_scales, self.stride,
            frames.device, index)
        text = self.encode_text([sample.texts for sample in data_samples])
        targets = collect_targets(data_samples, frames)
        clips = self.encode_scales(frames, sizes, scales, index)
        if index is not None:  # one frame is decoded, the same at all scales
            first = torch.zeros_like(index)[:, None]
            scales = [TemporalScale(first, first)] * self.num_scales
        return self.scale_losses(
            [self.decode(clip, text) for clip in clips],
            [targets.take(s.frames[text.video_index]) for s in scales],
            [s.places[text.video_index] for s in scales])

    def encode_scales(self, frames: Tensor, image_sizes: Tensor,
                      scales: Sequence[TemporalScale],
                      valid_index: Tensor | None) -> list[ClipFeatures]:
        """The clip as every scale sees it.

        An image backbone gives a frame the same features at every scale, so
        each frame is encoded once. To a video backbone neighbours matter:
        every scale is encoded on its own.

        Args:
            frames, image_sizes, valid_index: as in :meth:`encode_clip`; no
                scale leaves the frame of the valid index out.
            scales: from :func:`draw_scales`.
        """
        if not getattr(self.backbone, 'temporal', False):
            clip = self.encode_clip(frames, image_sizes, valid_index)
            if valid_index is not None:
                return [clip] * len(scales)
            return [clip, *(clip.take(s.frames) for s in scales[1:])]
        videos = torch.arange(len(frames), device=frames.device)[:, None]
        clips = []
        for scale in scales:
            index = valid_index
            if index is not None:
                index = (scale.frames == index[:, None]).int().argmax(1)
            clips.append(
                self.encode_clip(frames[videos, scale.frames], image_sizes,
                                 index))
        return clips

    def scale_losses(self, predictions: Sequence[Predictions],
                     targets: Sequence[Targets],
                     places: Sequence[Tensor]) -> dict[str, Tensor]:
        """Means of the losses of scales and of pairs of scales (section 3.4).

        Args:
            predictions, targets: of each scale, from fine to coarse.
            places: (P, T_s) of each scale, see :class:`TemporalScale`.

        Returns:
            The losses of :meth:`loss`, averaged over the scales (Eq. 6), and
            with ``inter.`` before them the mask losses across scales,
            averaged over the pairs (Eq. 7).
        """
        losses = mean_losses([
            self.loss(p, t) for p, t in zip(predictions, targets, strict=True)
        ])
        if self.direction == 'none' or len(predictions) == 1:
            return losses
        inter = mean_losses([
            self.head.mask_loss(self.inter_scale_masks(fine, coarse, place),
                                target)
            for fine, coarse, place, target in zip(
                predictions[:-1], predictions[1:], places[1:], targets[1:],
                strict=True)
        ])
        losses.update((f'inter.{name}', loss) for name, loss in inter.items())
        return losses

    def inter_scale_masks(self, fine: Predictions, coarse: Predictions,
                          places: Tensor) -> Tensor:
        """Masks of the last layer across two scales (section 3.3, Eq. 5).

        Kernels and reference points come from one scale, the features of the
        same frame from the other.

        Args:
            fine, coarse: predictions of scales s and s+1.
            places: (P, T_coarse), where the coarse scale's frames are in the
                fine scale.

        Returns:
            (1, P, T_coarse, N, h, w) logits.
        """
        pairs = torch.arange(len(places), device=places.device)[:, None]
        if self.direction == 'coarse_to_fine':
            mixed = replace(
                coarse, mask_features=fine.mask_features[pairs, places])
        else:
            mixed = replace(
                fine,
                queries=fine.queries[:, pairs, places],
                references=fine.references[:, pairs, places],
                mask_features=coarse.mask_features)
        return self.head.masks(mixed, layer=-1)


def mean_losses(losses: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Name by name."""
    return {
        name: torch.stack([part[name] for part in losses]).mean()
        for name in losses[0]
    }
