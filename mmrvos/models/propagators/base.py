from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import numpy as np
import pycocotools.mask as mask_utils
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.structures import RVOSDataSample
from mmrvos.utils import mask_areas

from ..postprocessors.masks import encode_masks
from .propagation_pass import ObjectGroup, PropagationPass

KEY_FRAMES = ('most_confident', 'first', 'middle', 'first_window')


class MaskPropagator(metaclass=ABCMeta):
    """Propagate the mask of one key frame to all other frames.

    Built from ``test_cfg.propagator``, and applied to the masks of any method.
    It reads the frames that the method has read. It is not an ``nn.Module``,
    so its network is not part of the method's checkpoints.

    Args:
        key_frame: how the key frame is chosen among the frames in which an
            expression has a mask: 'most_confident' for the highest score
            (MLRL, section 3.4), 'first', 'middle', or 'first_window' for the
            highest score in the first window with a mask.
            With a ``test_cfg.window``, the rule decides when the forward pass
            begins: with 'first' as soon as the first mask is there, with
            'first_window' after that window, otherwise at the end of the
            video. With 'first_window' the masks before that window stay
            empty, and each window is answered when it is read.
        compete: the expressions of a sample refer to different objects (as
            for ``MergeObjects``). They share one key frame, and their masks
            do not overlap. By default each expression is propagated alone,
            since several may refer to the same object.

    Raises:
        ValueError: ``key_frame`` is unknown.
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

    #: whether :meth:`propagate` takes boxes as prompts
    takes_boxes: ClassVar[bool] = False

    @abstractmethod
    def start_pass(self, ori_shape: tuple[int, int], device: torch.device,
                   reverse: bool, num_frames: int | None) -> PropagationPass:
        """Return the state of a pass before its first frame.

        Args:
            ori_shape: (H, W), the original size.
            device: of the frames.
            reverse: the pass runs backwards.
            num_frames: T, of the video; None while the video is read.
        """

    def propagate(self, frames: Sequence[Tensor], prompts: Tensor,
                  key_frames: list[int], ori_shape: tuple[int, int]
                  ) -> Iterator[tuple[int, list[int], Tensor]]:
        """Propagate masks, or boxes, of a whole video: forwards, backwards.

        Args:
            frames: T frames (3, h, w), normalised with ImageNet's mean and
                standard deviation, without padding.
            prompts: (K, H, W) bool, the mask of each object in its key frame,
                none of them empty. With :attr:`takes_boxes` also (K, 4)
                float, boxes (x1, y1, x2, y2) in pixels of the original size.
            key_frames: index of the key frame of each object.
            ori_shape: (H, W), the original size.

        Yields:
            Index of a frame, indices of some objects, and their masks in this
            frame, (k, H, W) bool; each object once per frame. The key frame
            is omitted if its mask was given.
        """
        groups = self.groups(prompts, key_frames)
        num_frames = len(frames)
        run = self.start_pass(ori_shape, prompts.device, False, num_frames)
        last = num_frames - 1
        yield from run.run(
            frames,
            range(num_frames),
            # in the last frame there is only the mask of a box to predict
            [g for g in groups if g.key_frame < last or g.prompts.ndim == 2],
            end=last)
        yield from self.propagate_back(frames, groups, ori_shape, num_frames)

    def propagate_back(self, frames: Sequence[Tensor],
                       groups: Sequence[ObjectGroup],
                       ori_shape: tuple[int, int],
                       num_frames: int | None,
                       first: int = 0
                       ) -> Iterator[tuple[int, list[int], Tensor]]:
        """Propagate groups from their key frames to the frame ``first``.

        The masks of key frames are not predicted.

        Args, yields: see :meth:`propagate`.
        """
        groups = [g for g in groups if g.key_frame > first]
        if not groups:
            return
        run = self.start_pass(ori_shape, groups[0].prompts.device, True,
                              num_frames)
        keys = {k: g.key_frame for g in groups for k in g.objects}
        times = range(max(keys.values()), first - 1, -1)
        for t, objects, masks in run.run(frames, times, groups, end=first):
            if t != keys[objects[0]]:
                yield t, objects, masks

    def groups(self, prompts: Tensor,
               key_frames: Sequence[int]) -> list[ObjectGroup]:
        """Group objects whose masks must not overlap.

        Args:
            prompts, key_frames: of K objects, see :meth:`propagate`.
        """
        objects = list(range(len(prompts)))
        return [
            ObjectGroup(group, key_frames[group[0]], prompts[group])
            for group in ([objects] if self.compete else
                          [[k] for k in objects])
        ]

    @property
    def starts_early(self) -> bool:
        """Whether key frames are known before the end of the video.

        With ``compete``, 'first' is the first frame with the most masks, which
        only the end of the video shows.
        """
        return self.key_frame == 'first_window' or (
            self.key_frame == 'first' and not self.compete)

    @torch.no_grad()
    def __call__(self, frames: Sequence[Tensor], pred: InstanceData,
                 sample: RVOSDataSample) -> InstanceData:
        """Propagate all expressions of a video.

        Args:
            frames: T frames (3, h, w) on one device, normalised, without
                padding.
            pred: the method's ``masks``, and ``frame_scores`` for
                'most_confident'. With ``boxes``, (E, T, 4), the prompts are
                boxes; a frame of score 0 has no box.
            sample: its ``ori_shape`` is read.

        Returns:
            ``pred`` with new masks. An expression without a mask in its key
            frame keeps its masks; with ``compete``, without the pixels of the
            propagated masks.

        Raises:
            ValueError: ``pred`` has another number of frames, or no frame
                scores.
            TypeError: ``pred`` has boxes, and this class takes masks only.
        """
        self.check_prompts(pred)
        if any(len(rles) != len(frames) for rles in pred.masks):
            raise ValueError(
                f'the clip has {len(frames)} frames, but masks of '
                f'{len(pred.masks[0])}: a propagator needs masks of all '
                'frames. Remove test_cfg.propagator for data with one '
                'annotated frame')
        chosen = self.choose(pred)  # {expression: its key frame}
        if not chosen:
            return pred
        shape = tuple(sample.ori_shape)
        prompts = prompts_of(pred, chosen).to(frames[0].device)
        expressions = list(chosen)
        unpropagated = set(range(len(pred.masks))) - set(chosen)
        pred.masks = [list(rles) for rles in pred.masks]
        # full precision, to distinguish probabilities near 0 and 1
        with torch.autocast(prompts.device.type, enabled=False):
            for t, objects, found in self.propagate(
                    frames, prompts, list(chosen.values()), shape):
                write_masks(pred.masks, t, [expressions[k] for k in objects],
                            found, unpropagated if self.compete else ())
        return pred

    def check_prompts(self, pred: InstanceData) -> None:
        """Check that this class takes the prompts of a prediction.

        Raises:
            TypeError: ``pred`` has boxes, and this class takes masks only.
        """
        if 'boxes' in pred and not self.takes_boxes:
            raise TypeError(
                f'{type(self).__name__} takes masks, got boxes: use a '
                'propagator that takes boxes, for example SAM2Propagator')

    def choose(self, pred: InstanceData) -> dict[int, int]:
        """Choose the key frame of every expression with a mask or box."""
        if 'boxes' in pred:
            seen = pred.frame_scores.numpy() > 0  # (E, T)
        else:
            seen = np.stack([mask_areas(rles) for rles in pred.masks]) > 0
        if self.key_frame in ('first', 'middle'):
            scores = np.zeros(seen.shape)
        elif 'frame_scores' in pred:
            scores = pred.frame_scores.numpy()
        else:
            raise ValueError(
                f'key_frame={self.key_frame!r} needs frame scores, which the '
                "postprocessor of this config does not return: choose 'first' "
                "or 'middle'")
        if not self.compete:
            return {
                e: self.pick(seen[e], scores[e])
                for e in np.flatnonzero(seen.any(1)).tolist()
            }
        if not seen.any():
            return {}
        # one frame for all, among those with the most non-empty masks
        count = seen.sum(0)
        frame = self.pick(count == count.max(), scores.mean(0))
        return dict.fromkeys(np.flatnonzero(seen[:, frame]).tolist(), frame)

    def pick(self, allowed: np.ndarray, scores: np.ndarray) -> int:
        """Pick one of the allowed frames; both arguments are (T,)."""
        frames = np.flatnonzero(allowed)
        if self.key_frame == 'first':
            return int(frames[0])
        if self.key_frame == 'middle':
            return int(frames[len(frames) // 2])
        return int(frames[scores[frames].argmax()])


def prompts_of(pred: InstanceData, chosen: dict[int, int]) -> Tensor:
    """Return the prompts of the chosen key frames.

    Args:
        chosen: the key frame of each expression.

    Returns:
        Boxes (K, 4) if ``pred`` has boxes, else masks (K, H, W) bool.
    """
    if 'boxes' in pred:
        return pred.boxes[list(chosen), list(chosen.values())]
    return torch.from_numpy(
        np.stack([
            mask_utils.decode(pred.masks[e][t]) for e, t in chosen.items()
        ])).bool()


def write_masks(masks: Sequence[list[dict]], t: int,
                expressions: Sequence[int], found: Tensor,
                others: Iterable[int]) -> None:
    """Replace masks of one frame, in place.

    Args:
        masks: E lists of RLEs.
        t: index of the frame in these lists.
        expressions: k indices.
        found: (k, H, W) bool, their new masks.
        others: expressions that lose the pixels of the new masks.
    """
    for e, rle in zip(expressions, encode_masks(found), strict=True):
        masks[e][t] = rle
    if others:
        taken = found.any(0).cpu().numpy()
        for e in others:
            masks[e][t] = without(masks[e][t], taken)


def without(rle: dict, taken: np.ndarray) -> dict:
    """Remove the pixels of a mask, (H, W) bool, from an RLE."""
    return mask_utils.encode(
        np.asfortranarray(mask_utils.decode(rle) & ~taken))
