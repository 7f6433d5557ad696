from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

from ..features import MultiscaleFeatures, QueryPredictions, Targets
from ..heads.referring_head import count_valid
from ..task_modules import TemporalScale, sample_scales
from .batch import collect_targets, image_sizes, stack_clips, valid_indices
from .motion_training import take_visible
from .referformer import ReferFormer

DIRECTIONS = ('coarse_to_fine', 'fine_to_coarse', 'none')


@MODELS.register_module()
class HTML(ReferFormer):
    """HTML (Han et al., ICCV 2023): ReferFormer trained at temporal scales.

    A training clip is decoded at S temporal scales with the same parameters:
    with all frames, and with fewer frames at each further scale (section
    3.2.1). Masks are also predicted across adjacent scales (section 3.3).
    Testing is that of ReferFormer, with all frames in a single scale.

    ReferFormer decodes frames independently. With an image backbone, the
    queries of a frame are then the same at all scales, unless ``inter_frame``
    of the encoder or of the decoder mixes the frames of a scale.

    Args:
        num_scales: S; 1 trains ReferFormer.
        stride: h; a scale has one frame of every h frames of the scale before
            it.
        direction: of the masks across scales (Table 6c): 'coarse_to_fine'
            applies kernels of scale s+1 to features of scale s,
            'fine_to_coarse' the reverse; 'none' predicts no such masks.
        equal_mask_weight: give the mask losses the total weight that they
            have in training with one scale. The head divides the mask losses
            of a clip by its number of frames, so scales of 8, 4 and 2 frames
            otherwise have 5.3 times that weight.
        kwargs: of :class:`ReferFormer`.

    Raises:
        ValueError: a number that is too small, or an unknown ``direction``.
    """

    def __init__(self,
                 *,
                 num_scales: int = 3,
                 stride: int = 2,
                 direction: str = 'coarse_to_fine',
                 equal_mask_weight: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if self.decoded_frames is not None and getattr(
                self.backbone, 'temporal', False):
            raise ValueError(
                f'decoded_frames={self.decoded_frames} needs a backbone of '
                'images: HTML runs a video backbone on the frames of each '
                'scale')
        if num_scales < 1 or stride < 2:
            raise ValueError('expected num_scales of at least 1 and a stride '
                             f'of at least 2, got {num_scales=}, {stride=}')
        if direction not in DIRECTIONS:
            raise ValueError(f'direction is one of {DIRECTIONS}, got '
                             f'{direction!r}')
        self.num_scales = num_scales
        self.stride = stride
        self.direction = direction
        self.equal_mask_weight = equal_mask_weight

    def whole_losses(self, inputs: Sequence[Tensor],
                     data_samples: Sequence[RVOSDataSample]
                     ) -> dict[str, Tensor]:
        """Compute the losses of all scales.

        A clip of a single frame has one scale.
        """
        if len(inputs[0]) == 1:
            return super().whole_losses(inputs, data_samples)
        if self.decoded_frames is not None:
            return self.decoded_scale_losses(inputs, data_samples)
        frames = stack_clips(inputs)
        sizes = image_sizes(data_samples)
        index = valid_indices(data_samples, frames)
        scales = sample_scales(
            tuple(frames.shape[:2]), self.num_scales, self.stride,
            frames.device, index)
        text = self.encode_text([sample.texts for sample in data_samples])
        targets = collect_targets(data_samples, frames)
        clips = self.encode_scales(frames, sizes, scales, index)
        losses = self.motion_loss(clips[0], text.video_index, targets)
        if index is not None:  # one frame is decoded, the same at all scales
            first = torch.zeros_like(index)[:, None]
            scales = [TemporalScale(first, first)] * self.num_scales
        return losses | self.scale_losses(
            [self.decode(clip, text) for clip in clips],
            [targets.take(s.frames[text.video_index]) for s in scales],
            [s.positions[text.video_index] for s in scales])

    def decoded_scale_losses(self, inputs: Sequence[Tensor],
                             data_samples: Sequence[RVOSDataSample]
                             ) -> dict[str, Tensor]:
        """Compute the losses of scales among ``decoded_frames`` frames.

        All frames are encoded, as the mixer and the motion loss need. The
        first scale has the decoded frames, drawn per expression.
        """
        clip, text = self.encode(inputs, data_samples)
        targets = collect_targets(data_samples, inputs[0])
        losses = self.motion_loss(clip, text.video_index, targets)
        clip, text, targets = take_visible(clip, text, targets,
                                           self.decoded_frames)
        scales = sample_scales((len(text.video_index), clip.num_frames),
                               self.num_scales, self.stride,
                               clip.fine.device)
        return losses | self.scale_losses(
            [self.decode(clip.take(s.frames), text) for s in scales],
            [targets.take(s.frames) for s in scales],
            [s.positions for s in scales])

    def encode_scales(self, frames: Tensor, image_sizes: Tensor,
                      scales: Sequence[TemporalScale],
                      valid_index: Tensor | None
                      ) -> list[MultiscaleFeatures]:
        """Encode the clips at every scale.

        An image backbone encodes each frame once, since its features are the
        same at all scales. A video backbone mixes frames, so each scale is
        encoded separately.

        Args:
            frames, image_sizes, valid_index: as in :meth:`encode_clip`; all
                scales contain the frame of the valid index.
            scales: from :func:`sample_scales`.
        """
        if not getattr(self.backbone, 'temporal', False):
            clip = self.encode_clip(frames, image_sizes, valid_index)
            if valid_index is None:
                return [clip, *(clip.take(s.frames) for s in scales[1:])]
            if not self.decode_all_frames:
                return [clip] * len(scales)
            return [
                replace(
                    clip.take(scale.frames),
                    valid_index=scale.find(valid_index)) for scale in scales
            ]
        videos = torch.arange(len(frames), device=frames.device)[:, None]
        clips = []
        for scale in scales:
            index = valid_index
            if index is not None:
                index = scale.find(index)
            clips.append(
                self.encode_clip(frames[videos, scale.frames], image_sizes,
                                 index))
        return clips

    def scale_losses(self, predictions: Sequence[QueryPredictions],
                     targets: Sequence[Targets],
                     positions: Sequence[Tensor]) -> dict[str, Tensor]:
        """Average the losses of scales and of pairs of scales (section 3.4).

        Args:
            predictions, targets: of each scale, from fine to coarse.
            positions: (P, T_s) of each scale, see :class:`TemporalScale`.

        Returns:
            The losses of :meth:`loss`, averaged over the scales (Eq. 6); and,
            with the prefix ``inter.``, the mask losses across scales,
            averaged over the pairs of scales (Eq. 7).
        """
        has_pairs = self.direction != 'none' and len(predictions) > 1
        factors = [1.] * len(targets)
        if self.equal_mask_weight:
            valid = [count_valid(target) for target in targets]
            # masks within and across scales share the weight
            factors = [v / valid[0] / (1 + has_pairs) for v in valid]
        losses = mean_losses([
            weigh_masks(self.loss(prediction, target), factor)
            for prediction, target, factor in zip(
                predictions, targets, factors, strict=True)
        ])
        if not has_pairs:
            return losses
        inter = mean_losses([
            weigh_masks(
                self.head.mask_loss(
                    self.inter_scale_masks(fine, coarse, position), target),
                factor)
            for fine, coarse, position, target, factor in zip(
                predictions[:-1], predictions[1:], positions[1:], targets[1:],
                factors[1:], strict=True)
        ])
        losses.update((f'inter.{name}', loss) for name, loss in inter.items())
        return losses

    def inter_scale_masks(self, fine: QueryPredictions,
                          coarse: QueryPredictions,
                          positions: Tensor) -> Tensor:
        """Build masks of the last layer across two scales (section 3.3,
        Eq. 5).

        Kernels and reference points come from one scale, the features of the
        same frame from the other.

        Args:
            fine, coarse: predictions of scales s and s+1.
            positions: (P, T_coarse), positions of the coarse scale's frames
                in the fine scale.

        Returns:
            (1, P, T_coarse, N, h, w) logits.
        """
        pairs = torch.arange(
            len(positions), device=positions.device)[:, None]
        if self.direction == 'coarse_to_fine':
            mixed = replace(
                coarse, mask_features=fine.mask_features[pairs, positions])
        else:
            mixed = replace(
                fine,
                queries=fine.queries[:, pairs, positions],
                references=fine.references[:, pairs, positions],
                mask_features=coarse.mask_features)
        return self.head.masks(mixed, layer=-1)


def weigh_masks(losses: dict[str, Tensor],
                factor: Tensor | float) -> dict[str, Tensor]:
    """Multiply the mask losses of all decoder layers by a factor."""
    return {
        name: loss * factor
        if name.endswith(('loss_mask', 'loss_dice')) else loss
        for name, loss in losses.items()
    }


def mean_losses(losses: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average several sets of losses, name by name."""
    return {
        name: torch.stack([part[name] for part in losses]).mean()
        for name in losses[0]
    }
