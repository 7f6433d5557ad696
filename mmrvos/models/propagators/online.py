from bisect import bisect_right

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.structures import RVOSDataSample

from ..frame_store import FrameStore
from .base import MaskPropagator, prompts_of, write_masks
from .propagation_pass import ObjectGroup


class OnlinePropagation:
    """Propagate the expressions of a video while it is read.

    For key frames that are known early, see
    :attr:`MaskPropagator.starts_early`. The forward pass of an expression
    begins with the window in which its key frame is found, and goes on with
    every window. The backward pass covers the frames whose masks are not
    returned yet.

    Args:
        propagator: with ``starts_early``.
        frames: the frames of the video; :meth:`add` removes those that no
            later frame needs.
        sample: its ``ori_shape`` is read.
    """

    def __init__(self, propagator: MaskPropagator, frames: FrameStore,
                 sample: RVOSDataSample) -> None:
        self.propagator = propagator
        self.frames = frames
        self.shape = tuple(sample.ori_shape)
        self.forward = propagator.start_pass(
            self.shape, frames.device, reverse=False, num_frames=None)
        self.key_frames: dict[int, int] = {}  # of expressions
        # predictions that are not returned yet, and their first frames
        self.waiting: list[InstanceData] = []
        self.starts: list[int] = []
        self.stop = 0  # number of frames with predictions

    @torch.no_grad()
    def add(self, pred: InstanceData) -> list[InstanceData]:
        """Propagate through the frames of the next window.

        Args:
            pred: of the method, see :meth:`MaskPropagator.__call__`. The
                frames must be in the store.

        Returns:
            The predictions, with new masks, of frames that no later window
            changes.
        """
        self.propagator.check_prompts(pred)
        start, self.stop = self.stop, self.stop + len(pred.masks[0])
        pred.masks = [list(rles) for rles in pred.masks]
        groups = self.find_groups(pred, start)
        self.waiting.append(pred)
        self.starts.append(start)
        # full precision, to distinguish probabilities near 0 and 1
        with torch.autocast(self.frames.device.type, enabled=False):
            for found in self.forward.run(
                    self.frames, range(start, self.stop), groups):
                self.write(*found)
            for found in self.propagator.propagate_back(
                    self.frames, groups, self.shape, None,
                    first=self.starts[0]):
                self.write(*found)
        if (self.propagator.key_frame == 'first_window'
                or len(self.key_frames) == len(pred.masks)):
            return self.finish()
        return []

    def finish(self) -> list[InstanceData]:
        """Return the predictions of all frames that wait."""
        done, self.waiting, self.starts = self.waiting, [], []
        self.frames.forget(self.stop)
        return done

    def find_groups(self, pred: InstanceData,
                    start: int) -> list[ObjectGroup]:
        """Find the key frames of expressions that have none.

        Args:
            pred: of a window.
            start: its first frame.

        Returns:
            Groups of expressions. With ``compete`` there is one in a video.
        """
        if self.propagator.compete and self.key_frames:
            return []
        chosen = {
            e: t for e, t in self.propagator.choose(pred).items()
            if e not in self.key_frames
        }
        if not chosen:
            return []
        prompts = prompts_of(pred, chosen).to(self.frames.device)
        keys = {e: start + t for e, t in chosen.items()}
        self.key_frames.update(keys)
        expressions = list(keys)
        groups = self.propagator.groups(prompts, list(keys.values()))
        for group in groups:
            group.objects = [expressions[k] for k in group.objects]
        return groups

    def write(self, t: int, expressions: list[int], found: Tensor) -> None:
        """Set the masks of a frame, see :func:`write_masks`."""
        window = bisect_right(self.starts, t) - 1
        pred = self.waiting[window]
        others = range(len(pred.masks)) if self.propagator.compete else ()
        write_masks(pred.masks, t - self.starts[window], expressions, found,
                    [e for e in others if e not in self.key_frames])
