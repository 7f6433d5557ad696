from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmrvos.registry import TASK_UTILS
from mmrvos.utils import load_weights, read_checkpoint

from .base import MaskPropagator
from .propagation_pass import PropagationPass
from .stcn_network import STCN, STRIDE
from .stcn_tracker import STCNTracker


@TASK_UTILS.register_module()
class STCNPropagator(MaskPropagator):
    """Propagate masks with STCN (Cheng et al., NeurIPS 2021).

    The keys of a frame are encoded once per pass for all expressions. The
    memory grows with the video up to ``max_memory`` frames.

    Args:
        weights: file with the official weights, converted
            (``official_to_mmrvos.py stcn``); read when first needed. None
            keeps random ones.
        mem_every: frames from one memory frame to the next, counted from the
            key frame.
        max_memory: largest number of memory frames; the oldest one after the
            key frame is removed. None for no limit, which is official.
        include_last: add the previous frame to the memory, too.
        top_k: memory elements that are read per pixel.
        key_frame, compete: see :class:`MaskPropagator`.

    Raises:
        ValueError: a number is below 1.
    """

    def __init__(self,
                 *,
                 weights: str | None = 'checkpoints/stcn.pth',
                 mem_every: int = 5,
                 max_memory: int | None = None,
                 include_last: bool = False,
                 top_k: int = 20,
                 key_frame: str = 'most_confident',
                 compete: bool = False) -> None:
        super().__init__(key_frame=key_frame, compete=compete)
        self.weights = weights
        self.options = dict(
            mem_every=mem_every, top_k=top_k, max_memory=max_memory)
        for name, value in self.options.items():
            if value is not None and value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        self.options['include_last'] = include_last

    @cached_property
    def network(self) -> STCN:
        network = STCN()
        if self.weights is not None:
            load_weights(
                network,
                read_checkpoint(self.weights)['state_dict'],
                source=self.weights)
        return network.eval()

    def start_pass(self, ori_shape: tuple[int, int], device: torch.device,
                   reverse: bool, num_frames: int | None) -> 'STCNPass':
        """See :meth:`MaskPropagator.start_pass`."""
        return STCNPass(self.network.to(device), ori_shape, **self.options)


class STCNPass(PropagationPass):
    """One pass of STCN: a tracker per group.

    Args:
        network: holds the weights.
        ori_shape: (H, W), the original size.
        options: of :class:`STCNTracker`.
    """

    def __init__(self, network: STCN, ori_shape: tuple[int, int],
                 **options: Any) -> None:
        super().__init__()
        self.network = network
        self.ori_shape = ori_shape
        self.options = options
        self.trackers: list[STCNTracker] = []

    def step(self, t: int, frame: Tensor, prompts: Sequence[Tensor],
             last: bool) -> list[Tensor]:
        """See :meth:`PropagationPass.step`."""
        size = frame.shape[-2:]
        image, pads = pad_to_stride(frame[None])
        encoded = self.network.encode_key(image)
        masks = []
        for tracker in self.trackers:
            probs = tracker.step(encoded, last=last)
            masks.append(to_masks(crop(probs, pads), self.ori_shape))
        for prompt in prompts:
            # nearest, as the official loader resizes masks
            given = F.interpolate(prompt[:, None].float(), size)[:, 0]
            tracker = STCNTracker(self.network, **self.options)
            tracker.step(encoded, F.pad(given, pads), last=last)
            self.trackers.append(tracker)
        return [*masks, *prompts]


def pad_to_stride(frames: Tensor) -> tuple[Tensor, list[int]]:
    """Pad frames (T, 3, h, w) with zeros to multiples of 16.

    The smaller half of the padding is on the left and on the top.

    Returns:
        The frames, and the widths of the padding: left, right, top, bottom.
    """
    pads = []
    for side in (frames.shape[-1], frames.shape[-2]):
        extra = -side % STRIDE
        pads += [extra // 2, extra - extra // 2]
    return F.pad(frames, pads), pads


def crop(probs: Tensor, pads: list[int]) -> Tensor:
    """Remove the padding of :func:`pad_to_stride`."""
    left, right, top, bottom = pads
    height, width = probs.shape[-2:]
    return probs[..., top:height - bottom, left:width - right]


def to_masks(probs: Tensor, shape: tuple[int, int]) -> Tensor:
    """Resize probabilities, then assign each pixel to the largest.

    Args:
        probs: (K + 1, h, w), the background first.

    Returns:
        (K, H, W) bool.
    """
    probs = F.interpolate(
        probs[None], shape, mode='bilinear', align_corners=False)[0]
    objects = torch.arange(1, len(probs), device=probs.device)
    return probs.argmax(0) == objects[:, None, None]
