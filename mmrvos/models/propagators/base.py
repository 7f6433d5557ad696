from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import pycocotools.mask as mask_utils
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.structures import RVOSDataSample
from mmrvos.utils import mask_areas

from ..postprocessors.masks import encode_masks

KEY_FRAMES = ('most_confident', 'first', 'middle')


class MaskPropagator(metaclass=ABCMeta):
    """Replace a method's masks by those of one frame, carried to all others.

    A step of its own behind any method, built from ``test_cfg.propagator``.
    It works on the frames that the method saw. It is no ``nn.Module``: its
    network is not a part of the method's checkpoints.

    Args:
        key_frame: whose mask is carried. 'most_confident': of every
            expression the frame of highest score, among those in which it has
            a mask (MLRL, section 3.4); 'first' or 'middle' of the frames in
            which it has a mask.
        compete: the expressions of a sample name different objects (as for
            ``MergeObjects``), which share one key frame and exclude each
            other. By default every expression is carried alone: several may
            mean the same object.

    Raises:
        ValueError: an unknown ``key_frame``.
    """

    def __init__(self,
                 *,
                 key_frame: str = 'most_confident',
                 compete: bool = False) -> None:
        if key_frame not in KEY_FRAMES:
            raise ValueError(f'key_frame is one of {KEY_FRAMES}, got '
                             f'{key_frame!r}')
        self.key_frame = key_frame
        self.compete = compete

    @classmethod
    def without_downloads(cls, cfg: dict, vocabulary: Sequence[str]) -> None:
        """Change a config, in place, so that it builds random weights.

        Args:
            cfg: config of a propagator of this class.
            vocabulary: not used; text encoders need it.
        """
        cfg['weights'] = None

    @abstractmethod
    def propagate(self, frames: Tensor, masks: Tensor, key_frames: list[int],
                  ori_shape: tuple[int, int]
                  ) -> Iterator[tuple[int, list[int], Tensor]]:
        """Carry masks forwards and backwards.

        Args:
            frames: (T, 3, h, w), normalised with ImageNet's mean and standard
                deviation, without padding.
            masks: (K, H, W) bool, one an object, none of them empty.
            key_frames: the frame of each.
            ori_shape: (H, W), the original size.

        Yields:
            A frame's index, some of the objects, and their masks (k, H, W)
            bool; each object once in every frame but its own.
        """

    def groups(self, num_objects: int) -> list[list[int]]:
        """Objects that exclude each other, by their index."""
        everyone = list(range(num_objects))
        return [everyone] if self.compete else [[k] for k in everyone]

    @torch.no_grad()
    def __call__(self, frames: Tensor, pred: InstanceData,
                 sample: RVOSDataSample) -> InstanceData:
        """Propagate all expressions of a video.

        Args:
            frames: (T, 3, h, w), normalised, with or without padding.
            pred: the method's ``masks``, and ``frame_scores`` for
                'most_confident'.
            sample: its ``img_shape`` and ``ori_shape`` are read.

        Returns:
            ``pred`` with new masks. An expression that has none in its key
            frame, so nothing to carry, keeps what it has (where expressions
            compete, less the pixels that carried ones take).

        Raises:
            ValueError: ``pred`` is of other frames, or has no frame scores.
        """
        height, width = sample.img_shape[:2]
        frames = frames[..., :height, :width]
        if any(len(rles) != len(frames) for rles in pred.masks):
            raise ValueError(
                f'the clip has {len(frames)} frames, its masks '
                f'{len(pred.masks[0])}: a propagator needs all of them; '
                'remove test_cfg.propagator where only one frame is decoded')
        chosen = self.choose(pred)  # {expression: its key frame}
        if not chosen:
            return pred
        shape = tuple(sample.ori_shape)
        masks = torch.from_numpy(
            np.stack([
                mask_utils.decode(pred.masks[e][t])
                for e, t in chosen.items()
            ])).bool().to(frames.device)
        expressions = list(chosen)
        left = set(range(len(pred.masks))) - set(chosen)
        new = [list(rles) for rles in pred.masks]
        # probabilities near 0 and 1 are told apart, which takes full precision
        with torch.autocast(frames.device.type, enabled=False):
            for t, objects, found in self.propagate(
                    frames.float(), masks, list(chosen.values()), shape):
                for k, rle in zip(objects, encode_masks(found), strict=True):
                    new[expressions[k]][t] = rle
                if self.compete:
                    taken = found.any(0).cpu().numpy()
                    for e in left:
                        new[e][t] = without(new[e][t], taken)
        pred.masks = new
        return pred

    def choose(self, pred: InstanceData) -> dict[int, int]:
        """The key frame of every expression that has a mask to carry."""
        areas = np.stack([mask_areas(rles) for rles in pred.masks])
        seen = areas > 0  # (E, T)
        if self.key_frame != 'most_confident':
            scores = np.zeros(seen.shape)
        elif 'frame_scores' in pred:
            scores = pred.frame_scores.numpy()
        else:
            raise ValueError(
                "key_frame='most_confident' needs a score of every frame, "
                'which the postprocessor of this config does not give: choose '
                "'first' or 'middle'")
        if not self.compete:
            return {
                e: self.pick(seen[e], scores[e])
                for e in np.flatnonzero(seen.any(1)).tolist()
            }
        if not seen.any():
            return {}
        # one frame for all, out of those that show the most of them
        count = seen.sum(0)
        frame = self.pick(count == count.max(), scores.mean(0))
        return dict.fromkeys(np.flatnonzero(seen[:, frame]).tolist(), frame)

    def pick(self, allowed: np.ndarray, scores: np.ndarray) -> int:
        """One of the allowed frames; both arguments are (T,)."""
        frames = np.flatnonzero(allowed)
        if self.key_frame == 'first':
            return int(frames[0])
        if self.key_frame == 'middle':
            return int(frames[len(frames) // 2])
        return int(frames[scores[frames].argmax()])


def without(rle: dict, taken: np.ndarray) -> dict:
    """An RLE less the pixels of a mask, (H, W) bool."""
    return mask_utils.encode(
        np.asfortranarray(mask_utils.decode(rle) & ~taken))


def passes(key_frames: Sequence[int], num_frames: int
           ) -> Iterator[tuple[bool, int, list[int], list[int]]]:
    """What happens in which frame, forwards and then backwards.

    Frames of which nothing depends are left out: those before the first key
    frame of a direction, and beginnings in its last frame.

    Args:
        key_frames: of each group of objects.
        num_frames: T.

    Yields:
        Whether time runs backwards, the frame's index, the groups that begin
        in it, and those that began earlier.
    """
    for reverse in (False, True):
        order = range(num_frames)[::-1] if reverse else range(num_frames)
        begun: list[int] = []
        for t in order:
            begin = [
                i for i, key in enumerate(key_frames)
                if key == t != order[-1]
            ]
            if begin or begun:
                yield reverse, t, begin, begun.copy()
            begun += begin
