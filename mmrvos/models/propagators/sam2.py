from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
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
from .base import MaskPropagator
from .propagation_pass import PropagationPass


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

    def start_pass(self, ori_shape: tuple[int, int], device: torch.device,
                   reverse: bool, num_frames: int | None) -> 'SAM2Pass':
        """See :meth:`MaskPropagator.start_pass`."""
        return SAM2Pass(self, ori_shape, device, reverse, num_frames)


class SAM2Pass(PropagationPass):
    """One pass of SAM 2: a session of transformers per group.

    Args:
        propagator: holds the weights.
        ori_shape, device, reverse, num_frames: see
            :meth:`MaskPropagator.start_pass`. While a video is read it counts
            as longer than the memory, as in the streaming mode of
            transformers. A shorter video of known length has slightly other
            masks: the length scales the positions of object pointers.
    """

    def __init__(self, propagator: SAM2Propagator, ori_shape: tuple[int, int],
                 device: torch.device, reverse: bool,
                 num_frames: int | None) -> None:
        super().__init__()
        self.network = propagator.network.to(device)
        self.new_session = partial(
            propagator.classes[2],
            inference_device=device,
            inference_state_device=device,
            video_storage_device=device,
            dtype=torch.float32)
        self.ori_shape = ori_shape
        self.reverse = reverse
        pointers = self.network.config.max_object_pointers_in_encoder
        self.reach = max(self.network.num_maskmem, pointers)
        self.frame = CurrentFrame(
            (self.network.image_size, ) * 2, propagator.normalise,
            pointers if num_frames is None else num_frames)
        self.sessions: list[Any] = []

    def step(self, t: int, frame: Tensor, prompts: Sequence[Tensor],
             last: bool) -> list[Tensor]:
        """See :meth:`PropagationPass.step`."""
        self.frame.replace(t, frame)
        started = len(self.sessions)
        for prompt in prompts:
            session = self.start_session(prompt, t)
            if self.sessions:
                # all sessions process the same frame, share its features
                session.cache = self.sessions[0].cache
            self.sessions.append(session)
        masks = []
        for i, session in enumerate(self.sessions):
            logits = self.network(
                session, frame_idx=t, reverse=self.reverse).pred_masks
            self.forget(session, t)
            if i >= started and prompts[i - started].ndim == 3:
                masks.append(prompts[i - started])
            else:
                masks.append(exclusive(resize(logits, self.ori_shape)[:, 0]))
        return masks

    def start_session(self, prompts: Tensor, key_frame: int) -> Any:
        """Start a session for objects with the same key frame.

        Args:
            prompts: see :class:`ObjectGroup`.
        """
        session = self.new_session()
        session.processed_frames = self.frame
        height, width = self.frame.size
        if prompts.ndim == 2:
            scale = prompts.new_tensor(
                [width / self.ori_shape[1], height / self.ori_shape[0]])
            # a box is two points: its corners, labelled 2 and 3
            labels = torch.tensor(
                [[[2, 3]]], dtype=torch.int32, device=prompts.device)
            for k, box in enumerate(prompts):
                session.add_point_inputs(
                    session.obj_id_to_idx(k), key_frame,
                    dict(
                        point_coords=box.view(1, 1, 2, 2) * scale,
                        point_labels=labels))
        else:  # as the processor of transformers prepares masks
            masks = resize(
                prompts[:, None].float(), self.frame.size,
                antialias=True) >= 0.5
            for k, mask in enumerate(masks):
                session.add_mask_inputs(
                    session.obj_id_to_idx(k), key_frame, mask[None])
        session.obj_with_new_inputs = list(range(len(prompts)))
        return session

    def forget(self, session: Any, frame: int) -> None:
        """Remove outputs that no later frame reads; a session keeps all."""
        old = frame + self.reach if self.reverse else frame - self.reach
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


class CurrentFrame(Mapping):
    """The frame that all sessions process, resized and normalised.

    A session reads frames by index, and takes the length of this mapping for
    the length of the video.

    Args:
        size: (height, width).
        normalise: applied to each resized frame.
        num_frames: the length.
    """

    def __init__(self, size: tuple[int, int],
                 normalise: Callable[[Tensor], Tensor],
                 num_frames: int) -> None:
        self.size = size
        self.normalise = normalise
        self.num_frames = num_frames
        self.current: dict[int, Tensor] = {}

    def replace(self, index: int, frame: Tensor) -> None:
        """Set the current frame, (3, h, w)."""
        frame = resize(frame[None].float(), self.size, antialias=True)
        self.current = {index: self.normalise(frame)[0]}

    def __getitem__(self, index: int) -> Tensor:
        return self.current[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self.current)

    def __len__(self) -> int:
        return self.num_frames


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
