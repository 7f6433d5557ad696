"""Parts of a segmentor as modules of tensors, for ``torch.export``."""
from dataclasses import fields

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from .features import ClipFeatures
from .postprocessors.masks import best_masks
from .segmentors import BaseRVOSSegmentor

Exported = tuple[ExportedProgram, nn.Module, tuple[Tensor, ...]]


class ClipEncoder(nn.Module):
    """Frames to the features of a clip, without padding.

    Args:
        model: the segmentor, in ``eval`` mode.
        size: (H, W) of the frames.
    """

    def __init__(self, model: BaseRVOSSegmentor,
                 size: tuple[int, int]) -> None:
        super().__init__()
        self.model = model
        self.size = size

    def encode(self, frames: Tensor) -> ClipFeatures:
        return self.model.encode_clip(
            frames, torch.tensor([self.size], dtype=torch.float32))

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encode (1, T, 3, H, W) normalised frames.

        Returns:
            The maps of the clip, see the features of the method.
        """
        clip, maps = self.encode(frames), []
        for field in fields(clip):
            value = getattr(clip, field.name)
            if field.name in ('image_sizes', 'positions', 'padding'):
                continue
            maps += [value] if isinstance(value, Tensor) else [
                x for x in value if isinstance(x, Tensor)
            ] if isinstance(value, tuple) else []
        return tuple(maps)


class Window(ClipEncoder):
    """Frames and token ids of E sentences to scores and masks."""

    def forward(self, frames: Tensor,
                input_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Segment a window.

        Args:
            frames: (1, T, 3, H, W), normalised.
            input_ids: (E, L), sentences of equal length.

        Returns:
            Scores (E,) and mask logits (E, T, h, w) of the best queries.
        """
        text = self.model.text_encoder(
            input_ids, None, input_ids.new_zeros(len(input_ids)))
        predictions = self.model.decode_for_masks(self.encode(frames), text)
        scores, _, _, masks = best_masks(self.model.head, predictions)
        return scores, masks


def export_clip(model: BaseRVOSSegmentor, num_frames: int,
                size: tuple[int, int]) -> Exported:
    """Export the encoder of clips.

    Args:
        model: the segmentor, in ``eval`` mode.
        num_frames: T.
        size: (H, W) of the frames.

    Returns:
        The program, the module that it equals, and inputs to compare them on.

    Raises:
        ValueError: the method cannot be exported.
    """
    return _export(ClipEncoder(model, size), (num_frames, size))


def export_window(model: BaseRVOSSegmentor, num_frames: int,
                  size: tuple[int, int], sentences: int,
                  words: int) -> Exported:
    """Export a whole window, see :func:`export_clip`.

    Args:
        model, num_frames, size: see :func:`export_clip`.
        sentences: E.
        words: L, tokens of a sentence.
    """
    tokenizer = model.text_encoder.tokenizer
    ids = torch.randint(0, len(tokenizer), (sentences, words))
    return _export(Window(model, size), (num_frames, size), ids)


def _export(module: ClipEncoder, clip: tuple[int, tuple[int, int]],
            *others: Tensor) -> Exported:
    num_frames, size = clip
    module.eval()
    inputs = torch.randn(1, num_frames, 3, *size), *others
    method = type(module.model).__name__
    try:
        with torch.no_grad():
            program = torch.export.export(module, inputs, strict=False)
    except Exception as error:  # torch raises many kinds
        reason = str(error).strip().split('\n')[0][:160]
        raise ValueError(
            f'{type(module).__name__} of {method} cannot be exported '
            f'({type(error).__name__}: {reason}); docs/inference.md lists '
            'what can be') from error
    return program, module, (torch.randn_like(inputs[0]), *others)


@torch.no_grad()
def largest_error(program: ExportedProgram, module: nn.Module,
                  inputs: tuple[Tensor, ...]) -> float:
    """Compare a program with its module on inputs; the largest difference."""
    pairs = zip(program.module()(*inputs), module(*inputs), strict=True)
    return max(float((a.float() - b.float()).abs().max()) for a, b in pairs)
