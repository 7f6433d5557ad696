from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import (
    EdgeTamVideoConfig,
    EdgeTamVideoInferenceSession,
    EdgeTamVideoModel,
    PreTrainedModel,
    Sam2VideoConfig,
    Sam2VideoInferenceSession,
    Sam2VideoModel,
    Sam3TrackerVideoConfig,
    Sam3TrackerVideoInferenceSession,
    Sam3TrackerVideoModel,
)

from mmrvos.registry import TASK_UTILS

from ..hugging_face import check_source, load_published
from .base import MaskPropagator, passes


@TASK_UTILS.register_module()
class SAM2Propagator(MaskPropagator):
    """Propagate masks or boxes with SAM 2 (Ravi et al., 2024) of transformers.

    The forward and the backward pass both start at the key frame. The memory
    is bounded: the key frame and the most recent frames. Frames are encoded
    once per pass for all expressions.

    Args:
        weights: name of a Hugging Face model, or a folder; read when first
            needed. None keeps random ones.
        config: keys of the network's configuration class, for random weights.
        key_frame, compete: see :class:`MaskPropagator`.

    Raises:
        ValueError: there are both ``weights`` and a ``config``.
        OSError: when first used, the model can neither be found nor
            downloaded.
    """
    takes_boxes = True
    classes: ClassVar[tuple[type, type, type]] = (
        Sam2VideoModel, Sam2VideoConfig, Sam2VideoInferenceSession)

    def __init__(self,
                 *,
                 weights: str | None = 'facebook/sam2.1-hiera-tiny',
                 config: dict | None = None,
                 key_frame: str = 'most_confident',
                 compete: bool = False) -> None:
        super().__init__(key_frame=key_frame, compete=compete)
        check_source(type(self).__name__, weights, config)
        self.weights = weights
        self.config = config

    @cached_property
    def network(self) -> PreTrainedModel:
        model, config, _ = self.classes
        if self.weights is None:
            network = model(config(**(self.config or {})))
            return network.eval().requires_grad_(False)
        return load_published(model, self.weights,
                              'test_cfg.propagator.weights')

    def normalise(self, frames: Tensor) -> Tensor:
        """Convert frames with ImageNet's mean and standard deviation to the
        normalisation of the network."""
        return frames

    def propagate(self, frames: Sequence[Tensor], prompts: Tensor,
                  key_frames: list[int], ori_shape: tuple[int, int]
                  ) -> Iterator[tuple[int, list[int], Tensor]]:
        """See :meth:`MaskPropagator.propagate`."""
        self.network.to(prompts.device)
        size = (self.network.image_size, ) * 2
        boxes = prompts.ndim == 2
        if boxes:
            scale = prompts.new_tensor(
                [size[1] / ori_shape[1], size[0] / ori_shape[0]]).repeat(2)
            prompts = prompts * scale
        else:  # as the processor of transformers prepares masks
            prompts = resize(
                prompts[:, None].float(), size, antialias=True) >= 0.5
        groups = self.groups(len(prompts))
        keys = [key_frames[group[0]] for group in groups]
        sessions: dict[int, Any] = {}
        video = ResizedFrames(frames, size, self.normalise)
        predicted = set()  # groups with a mask in their key frame
        for reverse, t, starting, started in passes(
                keys, len(frames), predict_keys=boxes):
            for i in starting:
                session = self.start_session(video, prompts[groups[i]], t)
                if sessions:
                    # all sessions process the same frame, share its features
                    session.cache = next(iter(sessions.values())).cache
                sessions[i] = session
            for i in (*started, *starting):
                logits = self.network(
                    sessions[i], frame_idx=t, reverse=reverse).pred_masks
                self.forget(sessions[i], t, reverse)
                new = i in starting
                if new and (not boxes or i in predicted):
                    continue
                if new:
                    predicted.add(i)
                logits = resize(logits, ori_shape)[:, 0]
                yield t, groups[i], exclusive(logits)

    def start_session(self, video: 'ResizedFrames', prompts: Tensor,
                      key_frame: int) -> Any:
        """Start a session for objects with the same key frame.

        Args:
            prompts: masks (k, 1, S, S) bool, or boxes (k, 4), at the size of
                the network.
        """
        device = prompts.device
        session = self.classes[2](
            inference_device=device,
            inference_state_device=device,
            video_storage_device=device,
            dtype=torch.float32)
        session.processed_frames = video
        for k, prompt in enumerate(prompts):
            index = session.obj_id_to_idx(k)
            if prompts.ndim == 2:
                # a box is two points: its corners, labelled 2 and 3
                session.add_point_inputs(
                    index, key_frame,
                    dict(
                        point_coords=prompt.view(1, 1, 2, 2),
                        point_labels=torch.tensor(
                            [[[2, 3]]], dtype=torch.int32, device=device)))
            else:
                session.add_mask_inputs(index, key_frame, prompt[None])
        session.obj_with_new_inputs = list(range(len(prompts)))
        return session

    def forget(self, session: Any, frame: int, reverse: bool) -> None:
        """Remove outputs that no later frame reads; a session keeps all."""
        reach = max(self.network.num_maskmem,
                    self.network.config.max_object_pointers_in_encoder)
        old = frame + reach if reverse else frame - reach
        for outputs in session.output_dict_per_obj.values():
            outputs['non_cond_frame_outputs'].pop(old, None)
        for frames in session.frames_tracked_per_obj.values():
            frames.pop(old, None)


@TASK_UTILS.register_module()
class EdgeTAMPropagator(SAM2Propagator):
    """Propagate masks or boxes with EdgeTAM (Zhou et al., 2025).

    A fast relative of SAM 2. The backbone of the published weights is a model
    of timm, which is not installed with mmrvos: ``pip install timm``.

    Args:
        weights, config, key_frame, compete: see :class:`SAM2Propagator`.
    """
    classes = (EdgeTamVideoModel, EdgeTamVideoConfig,
               EdgeTamVideoInferenceSession)

    def __init__(self, *, weights: str | None = 'yonigozlan/EdgeTAM-hf',
                 **options: Any) -> None:
        super().__init__(weights=weights, **options)


@TASK_UTILS.register_module()
class SAM3TrackerPropagator(SAM2Propagator):
    """Propagate masks or boxes with the tracker of SAM 3 (Meta, 2025).

    Args:
        weights, config, key_frame, compete: see :class:`SAM2Propagator`.
    """
    classes = (Sam3TrackerVideoModel, Sam3TrackerVideoConfig,
               Sam3TrackerVideoInferenceSession)

    def __init__(self, *, weights: str | None = 'facebook/sam3',
                 **options: Any) -> None:
        super().__init__(weights=weights, **options)

    def normalise(self, frames: Tensor) -> Tensor:
        """See the base class; SAM 3 has mean and deviation 0.5."""
        mean = frames.new_tensor([0.485, 0.456, 0.406]).view(-1, 1, 1)
        std = frames.new_tensor([0.229, 0.224, 0.225]).view(-1, 1, 1)
        return (frames * std + mean - 0.5) / 0.5


class ResizedFrames(Mapping):
    """Frames that are resized and normalised when they are read.

    Args:
        frames: T frames (3, h, w).
        size: (height, width).
        normalise: applied to each resized frame.
    """

    def __init__(self, frames: Sequence[Tensor], size: tuple[int, int],
                 normalise: Callable[[Tensor], Tensor]) -> None:
        self.frames = frames
        self.size = size
        self.normalise = normalise

    def __getitem__(self, index: int) -> Tensor:
        frame = self.frames[index][None].float()
        return self.normalise(resize(frame, self.size, antialias=True))[0]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.frames)))

    def __len__(self) -> int:
        return len(self.frames)


def resize(x: Tensor, size: tuple[int, int], antialias: bool = False
           ) -> Tensor:
    return F.interpolate(
        x, size, mode='bilinear', align_corners=False, antialias=antialias)


def exclusive(logits: Tensor) -> Tensor:
    """Assign each pixel to the object of the largest logit, if positive.

    Args:
        logits: (k, H, W).

    Returns:
        (k, H, W) bool.
    """
    objects = torch.arange(len(logits), device=logits.device)
    return (logits > 0) & (logits.argmax(0) == objects[:, None, None])
