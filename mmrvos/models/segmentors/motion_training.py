from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

from ..derive import derive
from ..features import MultiscaleFeatures, Targets, TextFeatures
from .base import BaseRVOSSegmentor
from .batch import (
    collect_targets,
    image_sizes,
    stack_clips,
    valid_indices,
    video_index,
)
from .parts import Part


class MotionTraining(BaseRVOSSegmentor):
    """Training of motion for methods on :class:`MultiscaleFeatures`.

    This is ours and belongs to no paper. Two stages of
    :class:`TrainingStagesHook` use it: 'motion' trains the stride-8 map
    without language to carry the motion of objects, and 'words' trains
    language on single frames of that map, many expressions per step, with or
    without a motion head. The motion loss stays on in all later stages.

    Args:
        motion_head: config of a :class:`MotionHead`; None for no motion loss.
            Needs a pipeline with ``LoadClipMasks(all_objects=True)``.
        word_head: config of a :class:`DenseMaskHead` for the stage 'words'.
        decoded_frames: frames decoded per expression in training, drawn
            among those that show the target; None decodes all frames. All
            frames are encoded in any case.
        kwargs: see :class:`BaseRVOSSegmentor`.

    Raises:
        ValueError: ``decoded_frames`` below 1.
    """
    parts = (
        *BaseRVOSSegmentor.parts,
        Part('motion_head'),
        Part('word_head'),
    )

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 motion_head: dict | None = None,
                 word_head: dict | None = None,
                 decoded_frames: int | None = None,
                 **kwargs) -> None:
        if decoded_frames is not None and decoded_frames < 1:
            raise ValueError('decoded_frames must be at least 1 or None, got '
                             f'{decoded_frames}')
        super().__init__(embed_dims=embed_dims, **kwargs)
        width = ('embed_dims', embed_dims)
        self.motion_head = motion_head and MODELS.build(
            derive('motion_head', motion_head, in_channels=width))
        self.word_head = word_head and MODELS.build(
            derive('word_head', word_head, in_channels=width))
        self.decoded_frames = decoded_frames

    def word_map(self, clip: MultiscaleFeatures,
                 text: TextFeatures) -> Tensor:
        """Fuse the stride-8 map alone with the words, (P*T, C, h, w)."""
        clip = clip.select(text.video_index)
        fused, _ = self.fusion(replace(clip, levels=clip.levels[:1]), text)
        return fused[0]

    def motion_losses(self, inputs: Sequence[Tensor],
                      data_samples: Sequence[RVOSDataSample]
                      ) -> dict[str, Tensor]:
        """Compute the loss of stage 'motion'; the text encoder does not
        run."""
        clip = self.encode_clip(
            stack_clips(inputs), image_sizes(data_samples),
            valid_indices(data_samples, inputs[0]))
        return self.motion_loss(clip, video_index(data_samples),
                                collect_targets(data_samples, inputs[0]))

    def words_losses(self, inputs: Sequence[Tensor],
                     data_samples: Sequence[RVOSDataSample]
                     ) -> dict[str, Tensor]:
        """Compute the losses of stage 'words'; encoder and decoder do not
        run."""
        clip, text = self.encode(inputs, data_samples)
        targets = collect_targets(data_samples, inputs[0])
        losses = self.motion_loss(clip, text.video_index, targets)
        clip, text, targets = take_visible(clip, text, targets, 1)
        word_losses = self.word_head.loss(self.word_map(clip, text), targets)
        return losses | {
            name.replace('dense', 'word'): loss
            for name, loss in word_losses.items()
        }

    def whole_losses(self, inputs: Sequence[Tensor],
                     data_samples: Sequence[RVOSDataSample]
                     ) -> dict[str, Tensor]:
        clip, text = self.encode(inputs, data_samples)
        targets = collect_targets(data_samples, inputs[0])
        losses = self.motion_loss(clip, text.video_index, targets)
        if self.decoded_frames is not None:
            clip, text, targets = take_visible(clip, text, targets,
                                               self.decoded_frames)
        return losses | self.loss(
            self.decode_for_masks(clip, text), targets)

    def motion_loss(self, clip: MultiscaleFeatures, video_index: Tensor,
                    targets: Targets) -> dict[str, Tensor]:
        """Compute the motion loss, if the model has a motion head.

        Args:
            clip: B clips.
            video_index: (P,) long, the video of each pair.
            targets: of the P pairs, with all objects of the clips.
        """
        if self.motion_head is None:
            return {}
        return self.motion_head.loss(
            clip.levels[0], targets.objects(video_index), clip.image_sizes)


def take_visible(
        clip: MultiscaleFeatures, text: TextFeatures, targets: Targets,
        num_frames: int) -> tuple[MultiscaleFeatures, TextFeatures, Targets]:
    """Take random frames per pair, among those that show the target.

    Args:
        clip: B clips of T frames.
        text: P expressions about them.
        targets: of the P pairs.
        num_frames: T', at least 1; a clip of fewer frames keeps all.

    Returns:
        P clips of T' frames, one per expression; the expressions; the
        targets of these frames. Frames without the target are taken only
        where fewer than T' show it.
    """
    # above zero: a target may be visible in no frame at all
    weights = targets.valid.float() + 1e-6
    frames = torch.multinomial(weights, min(num_frames, clip.num_frames))
    frames = frames.sort(dim=1).values
    pairs = torch.arange(len(frames), device=frames.device)
    return (clip.take_pairs(text.video_index, frames),
            replace(text, video_index=pairs), targets.take(frames))
