from collections.abc import Iterator, Mapping
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import (
    Sam2VideoConfig,
    Sam2VideoInferenceSession,
    Sam2VideoModel,
)
from transformers.models.sam2_video.modeling_sam2_video import (
    Sam2VideoInferenceCache,
)

from mmrvos.registry import TASK_UTILS

from ..hugging_face import load_hugging_face
from .base import MaskPropagator, passes


@TASK_UTILS.register_module()
class SAM2Propagator(MaskPropagator):
    """Propagate masks with SAM 2 (Ravi et al., 2024) of transformers.

    The forward and the backward pass both start at the key frame. The memory
    is bounded: the key frame and the most recent frames. Frames are encoded
    once per pass for all expressions.

    Args:
        weights: name of a Hugging Face model, or a folder; read when first
            needed. None keeps random ones.
        config: keys of ``transformers.Sam2VideoConfig``, for random weights.
        key_frame, compete: see :class:`MaskPropagator`.

    Raises:
        ValueError: there are both ``weights`` and a ``config``.
        OSError: when first used, the model can neither be found nor
            downloaded.
    """

    def __init__(self,
                 *,
                 weights: str | None = 'facebook/sam2.1-hiera-tiny',
                 config: dict | None = None,
                 key_frame: str = 'most_confident',
                 compete: bool = False) -> None:
        super().__init__(key_frame=key_frame, compete=compete)
        if weights is not None and config is not None:
            raise ValueError(
                f'SAM2Propagator got {weights=} and a config: pretrained '
                'weights include a config. Set weights=None for random '
                'weights')
        self.weights = weights
        self.config = config or {}

    @cached_property
    def network(self) -> Sam2VideoModel:
        if self.weights is None:
            return Sam2VideoModel(Sam2VideoConfig(**self.config)).eval()
        try:
            return load_hugging_face(Sam2VideoModel, self.weights).eval()
        except OSError as error:
            raise OSError(
                f'SAM 2 {self.weights!r} is neither a folder nor to be '
                'downloaded from here: fetch it where there is a network '
                f"(Sam2VideoModel.from_pretrained('{self.weights}')"
                '.save_pretrained(FOLDER)) and set '
                'test_cfg.propagator.weights=FOLDER. First cause: '
                f'{str(error).splitlines()[0]}') from None

    def propagate(self, frames: Tensor, masks: Tensor, key_frames: list[int],
                  ori_shape: tuple[int, int]
                  ) -> Iterator[tuple[int, list[int], Tensor]]:
        self.network.to(frames.device)
        size = (self.network.image_size, ) * 2
        # as the processor of transformers prepares masks
        masks = resize(masks[:, None].float(), size, antialias=True) >= 0.5
        groups = self.groups(len(masks))
        keys = [key_frames[group[0]] for group in groups]
        sessions: dict[int, Sam2VideoInferenceSession] = {}
        # all sessions process the same frame and share its features
        cache = Sam2VideoInferenceCache(frames.device, frames.device)
        for reverse, t, starting, started in passes(keys, len(frames)):
            for i in starting:
                sessions[i] = self.start_session(ResizedFrames(frames, size),
                                         masks[groups[i]], t)
                sessions[i].cache = cache
            for i in (*started, *starting):
                logits = self.network(
                    sessions[i], frame_idx=t, reverse=reverse).pred_masks
                self.forget(sessions[i], t, reverse)
                if i not in starting:
                    logits = resize(logits, ori_shape)[:, 0]
                    yield t, groups[i], exclusive(logits)

    def start_session(self, frames: 'ResizedFrames', masks: Tensor,
              key_frame: int) -> Sam2VideoInferenceSession:
        """Start a session for objects with the same key frame.

        Args:
            masks: (k, 1, S, S) bool, at the network's size.
        """
        device = masks.device
        session = Sam2VideoInferenceSession(
            inference_device=device,
            inference_state_device=device,
            video_storage_device=device,
            dtype=torch.float32)
        session.processed_frames = frames
        for k, mask in enumerate(masks):
            session.add_mask_inputs(
                session.obj_id_to_idx(k), key_frame, mask[None])
        session.obj_with_new_inputs = list(range(len(masks)))
        return session

    def forget(self, session: Sam2VideoInferenceSession, frame: int,
               reverse: bool) -> None:
        """Remove outputs that no later frame reads; a session keeps all."""
        reach = max(self.network.num_maskmem,
                    self.network.config.max_object_pointers_in_encoder)
        old = frame + reach if reverse else frame - reach
        for outputs in session.output_dict_per_obj.values():
            outputs['non_cond_frame_outputs'].pop(old, None)


class ResizedFrames(Mapping):
    """Frames that are resized when they are read.

    Args:
        frames: (T, 3, h, w).
        size: (height, width).
    """

    def __init__(self, frames: Tensor, size: tuple[int, int]) -> None:
        self.frames = frames
        self.size = size

    def __getitem__(self, index: int) -> Tensor:
        return resize(self.frames[index, None], self.size, antialias=True)[0]

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
