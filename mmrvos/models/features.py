"""What the three steps of a segmentor hand to each other.

Letters: B videos, E expressions a video, P = the sum of E over the batch
(pairs of a video and an expression), T frames, L words, N queries, C channels,
D decoder layers, h_i w_i the size of level i. Frames are folded into the batch
video-major: b * T + t.
"""
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass
class ClipFeatures:
    """A clip without its language: what ``encode_clip`` returns.

    Args:
        fine: (B*T, C_0, h_0, w_0), the backbone's stride-4 map as it is.
        levels: (B*T, C, h_i, w_i) each, projected maps of strides 8, 16, ...
        padding: (B, h_i, w_i) bool each, True where padded, of strides 4, 8,
            ...; None where the batch has no padding at all.
        positions: (B or 1, C, h_i, w_i) each, 2D sine encodings of strides
            4, 8, ...
        num_frames: T.
        image_sizes: (B, 2) float, (height, width) without padding.
        input_size: (height, width) with padding.
    """
    fine: Tensor
    levels: tuple[Tensor, ...]
    padding: tuple[Tensor, ...] | None
    positions: tuple[Tensor, ...]
    num_frames: int
    image_sizes: Tensor
    input_size: tuple[int, int] | None = None

    def select(self, video_index: Tensor) -> 'ClipFeatures':
        """One clip a (video, expression) pair, B becomes P.

        Args:
            video_index: (P,) long, the video of each pair; every video once
                at least, in order.
        """
        num_videos = len(self.image_sizes)
        if len(video_index) == num_videos:  # one each: asked of no GPU
            return self

        def frames(x: Tensor) -> Tensor:
            return x.unflatten(0, (num_videos, -1))[video_index].flatten(0, 1)

        def videos(x: Tensor) -> Tensor:
            return x if len(x) == 1 else x[video_index]

        padding = self.padding
        if padding is not None:
            padding = tuple(p[video_index] for p in padding)
        return ClipFeatures(
            fine=frames(self.fine),
            levels=tuple(frames(x) for x in self.levels),
            padding=padding,
            positions=tuple(videos(x) for x in self.positions),
            num_frames=self.num_frames,
            image_sizes=self.image_sizes[video_index],
            input_size=self.input_size)

    def take(self, frames: Tensor) -> 'ClipFeatures':
        """Some frames of each clip, T becomes T'.

        Args:
            frames: (B, T') long, positions in the clip.
        """
        first = self.num_frames * torch.arange(
            len(frames), device=frames.device)
        rows = (first[:, None] + frames).flatten()
        return replace(
            self,
            fine=self.fine[rows],
            levels=tuple(x[rows] for x in self.levels),
            num_frames=frames.shape[1])


@dataclass
class TextFeatures:
    """Expressions: what ``encode_text`` returns.

    Args:
        words: (P, L, C). Start and end tokens count as words.
        padding: (P, L) bool, True where padded; None where the expressions
            have one length.
        sentence: (P, C).
        positions: (P, L, C), 1D sine encoding.
        video_index: (P,) long, the video each expression is about, in order;
            every video has one at least.
    """
    words: Tensor
    padding: Tensor | None
    sentence: Tensor
    positions: Tensor
    video_index: Tensor

    def pairs(self, chosen: slice) -> 'TextFeatures':
        """Some of the expressions of a single video."""
        return replace(
            self,
            padding=None if self.padding is None else self.padding[chosen],
            **{
                name: getattr(self, name)[chosen]
                for name in ('words', 'sentence', 'positions', 'video_index')
            })


@dataclass
class Predictions:
    """What ``decode`` returns; masks are built on demand by the head.

    Args:
        queries: (D, P, T, N, C), decoder states, first layer first.
        references: (D, P, T, N, 4), (cx, cy, w, h) in [0, 1] of the unpadded
            image after each layer, detached; None where queries have no place.
        logits: (D, P, T, N, K).
        boxes: (D, P, T, N, 4), as ``references`` but with gradients; None
            from a method without boxes.
        mask_features: (P, T, C, h_0, w_0), stride 4.
        image_sizes: (P, 2) float, (height, width) without padding.
        input_size: (height, width) with padding, where masks go through that
            size at test time; None is 4 times the mask features'.
        dense: (P*T, C, h, w), a map that knows the sentence, of stride 8 in
            most methods, for the training-only dense loss; None where a
            method has none.
        extra: anything else that a method's own head needs.
    """
    queries: Tensor
    references: Tensor | None
    logits: Tensor
    boxes: Tensor | None
    mask_features: Tensor
    image_sizes: Tensor
    input_size: tuple[int, int] | None = None
    dense: Tensor | None = None
    extra: dict = field(default_factory=dict)


@dataclass
class Targets:
    """Ground truth of a training batch, one row a (video, expression) pair.

    Args:
        masks: (P, T, H, W) bool at the padded size of the batch.
        boxes: (P, T, 4), normalised (cx, cy, w, h), zero where absent.
        valid: (P, T) bool, False where the object is absent.
        labels: (P,) long, class of the object.
        others: (n, T, H, W) bool of each pair, the other annotated objects of
            its clip; None where the pipeline does not load them.
    """
    masks: Tensor
    boxes: Tensor
    valid: Tensor
    labels: Tensor
    others: list[Tensor] | None = None

    def take(self, frames: Tensor) -> 'Targets':
        """Some frames of each pair, T becomes T'.

        Args:
            frames: (P, T') long, positions in the clip.
        """
        pairs = torch.arange(len(frames), device=frames.device)[:, None]
        return replace(
            self,
            masks=self.masks[pairs, frames],
            boxes=self.boxes[pairs, frames],
            valid=self.valid[pairs, frames],
            others=self.others and [
                masks[:, chosen]
                for masks, chosen in zip(self.others, frames, strict=True)
            ])
