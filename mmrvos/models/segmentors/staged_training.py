from collections.abc import Sequence

from torch import Tensor

from mmrvos.structures import RVOSDataSample

from ..derive import derive, setting
from ..features import ClipFeatures, TextFeatures
from .backbone_maps import run_backbone
from .batch import (
    collect_targets,
    stack_clips,
    valid_indices,
    video_index,
)


class StagedTraining:
    """Losses of the training stages of a segmentor.

    The stage is set by :class:`TrainingStagesHook`: 'category' trains the
    backbone with the category head, 'dense' all steps up to the method's
    dense map with the dense head, 'whole' the method itself.
    """
    stage = 'whole'

    def stage_losses(self, inputs: Sequence[Tensor],
                     data_samples: Sequence[RVOSDataSample]
                     ) -> dict[str, Tensor]:
        """Compute the losses of the current stage."""
        losses = getattr(self, f'{self.stage}_losses')
        return losses(inputs, data_samples)

    def category_losses(self, inputs: Sequence[Tensor],
                        data_samples: Sequence[RVOSDataSample]
                        ) -> dict[str, Tensor]:
        """Classify the objects' pixels; only the backbone runs."""
        maps, _ = run_backbone(
            self.backbone,
            stack_clips(inputs),
            valid_indices(data_samples, inputs[0]),
            channels_last=self.channels_last)
        return self.category_head.loss(
            maps,
            video_index(data_samples).to(maps[0].device),
            collect_targets(data_samples, inputs[0]))

    def dense_losses(self, inputs: Sequence[Tensor],
                     data_samples: Sequence[RVOSDataSample]
                     ) -> dict[str, Tensor]:
        """Segment the dense map; nothing behind it runs."""
        clip, text = self.encode(inputs, data_samples)
        return self.dense_head.loss(
            self.dense_map(clip, text),
            collect_targets(data_samples, inputs[0]))

    def whole_losses(self, inputs: Sequence[Tensor],
                     data_samples: Sequence[RVOSDataSample]
                     ) -> dict[str, Tensor]:
        """Compute the losses of the method."""
        clip, text = self.encode(inputs, data_samples)
        return self.loss(
            self.decode_for_masks(clip, text),
            collect_targets(data_samples, inputs[0]))

    def dense_map(self, clip: ClipFeatures,
                  text: TextFeatures) -> Tensor | None:
        """Return the ``dense`` map of :meth:`decode`.

        A method overrides this where the map needs only a part of
        ``decode``.
        """
        return self.decode(clip, text).dense


def on_backbone_map(name: str, cfg: dict,
                    backbone_channels: Sequence[int]) -> dict:
    """Add the channels of its map to a head that works on the backbone.

    Args:
        name: the head's key.
        cfg: its config; ``level`` is the index of the map.
        backbone_channels: channels of the backbone's maps.

    Raises:
        ValueError: the backbone has no such map.
    """
    level = setting(cfg, 'level')
    if level not in range(len(backbone_channels)):
        raise ValueError(
            f'{name}.level={level!r}: expected 0 to '
            f'{len(backbone_channels) - 1}, the maps of the backbone '
            f'(backbone_channels={tuple(backbone_channels)})')
    return derive(
        name, cfg,
        in_channels=(f'backbone_channels[{level}]', backbone_channels[level]))
