"""Dataclasses between the three steps of a segmentor.

Letters: B videos, E expressions per video, P = the sum of E over the batch
(pairs of a video and an expression), T frames, L words, N queries, C channels,
K classes, D decoder layers, h_i w_i the size of level i. Frames are folded
into the batch axis video by video: row b * T + t.

A method whose steps exchange more than this derives its own classes, see
``SOCPredictions`` in ``heads/soc_head.py``.
"""
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from .chunks import WHOLE, Chunks


@dataclass(kw_only=True)
class ClipFeatures:
    """Features of clips without language, returned by ``encode_clip``.

    Args:
        num_frames: T, frames that are decoded.
        image_sizes: (B, 2) float, (height, width) without padding.
        input_size: (height, width) with padding.
        chunks: limits of what the next steps compute at once.
    """
    num_frames: int
    image_sizes: Tensor
    input_size: tuple[int, int] | None = None
    chunks: Chunks = WHOLE


@dataclass(kw_only=True)
class MultiscaleFeatures(ClipFeatures):
    """Maps of several strides (ReferFormer, SOC, MTTR).

    Args:
        fine: (B*T, C_0, h_0, w_0), the backbone's stride-4 map, not projected;
            None where ``prepared`` is in its place.
        levels: (B*T, C, h_i, w_i) each, maps of strides 8, 16, ...
        padding: (B, h_i, w_i) bool each, True where padded, of strides 4, 8,
            ...; None where the batch has no padding at all.
        positions: (B or 1, C, h_i, w_i) each, 2D sine encodings of strides
            4, 8, ...
        valid_index: (B,) long, the only frame of each clip that predictions
            are wanted of, although all are decoded; None for all frames.
        prepared: (B*T, h_0*w_0, C), what a pixel decoder computes from
            ``fine`` once for all expressions, see
            :meth:`CrossModalFPN.prepare`; None where it has not.
        num_frames, image_sizes, input_size, chunks: see
            :class:`ClipFeatures`.
    """
    fine: Tensor | None
    levels: tuple[Tensor, ...]
    padding: tuple[Tensor, ...] | None
    positions: tuple[Tensor, ...]
    valid_index: Tensor | None = None
    prepared: Tensor | None = None

    def select(self, video_index: Tensor) -> 'MultiscaleFeatures':
        """Repeat the clips once per (video, expression) pair; B becomes P.

        Args:
            video_index: (P,) long, the video of each pair; every video at
                least once, in order.
        """
        num_videos = len(self.image_sizes)
        if len(video_index) == num_videos:
            return self  # one expression per video; needs no GPU sync

        def frames(x: Tensor | None) -> Tensor | None:
            if x is None:
                return None
            return x.unflatten(0, (num_videos, -1))[video_index].flatten(0, 1)

        def videos(x: Tensor) -> Tensor:
            return x if len(x) == 1 else x[video_index]

        padding = self.padding
        if padding is not None:
            padding = tuple(p[video_index] for p in padding)
        return replace(
            self,
            fine=frames(self.fine),
            prepared=frames(self.prepared),
            levels=tuple(frames(x) for x in self.levels),
            padding=padding,
            positions=tuple(videos(x) for x in self.positions),
            valid_index=None if self.valid_index is None else
            self.valid_index[video_index],
            image_sizes=self.image_sizes[video_index])

    def token_padding(self, level: int) -> Tensor | None:
        """Return the padding of the tokens of all frames of a level.

        Args:
            level: index in ``levels``.

        Returns:
            (B, T*h_i*w_i) bool, or None without padding.
        """
        if self.padding is None:
            return None
        # padding also has stride 4
        return self.padding[level + 1][:, None].expand(
            -1, self.num_frames, -1, -1).flatten(1)

    def take_pairs(self, video_index: Tensor,
                   frames: Tensor) -> 'MultiscaleFeatures':
        """Take some frames per pair; B becomes P, T becomes T'.

        Equal to :meth:`select` and :meth:`take`, without building all frames
        of all pairs.

        Args:
            video_index: (P,) long, the video of each pair.
            frames: (P, T') long, positions in the clip.
        """
        rows = (self.num_frames * video_index[:, None] + frames).flatten()

        def videos(x: Tensor) -> Tensor:
            return x if len(x) == 1 else x[video_index]

        return replace(
            self,
            fine=self.fine[rows],
            levels=tuple(x[rows] for x in self.levels),
            padding=self.padding and tuple(
                p[video_index] for p in self.padding),
            positions=tuple(videos(x) for x in self.positions),
            num_frames=frames.shape[1],
            image_sizes=self.image_sizes[video_index])

    def take(self, frames: Tensor) -> 'MultiscaleFeatures':
        """Take some frames of each clip; T becomes T'.

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
    """Features of expressions, returned by ``encode_text``.

    Args:
        words: (P, L, C), one per token, start and end tokens included.
        padding: (P, L) bool, True where padded; None where all expressions
            have the same length.
        sentence: (P, C); None from a method without a sentence feature.
        positions: (P, L, C), 1D sine encoding; None from a method without
            positions.
        video_index: (P,) long, the video of each expression, in order; every
            video has at least one.
    """
    words: Tensor
    padding: Tensor | None
    sentence: Tensor | None
    positions: Tensor | None
    video_index: Tensor

    def pairs(self, chosen: slice) -> 'TextFeatures':
        """Take some of the expressions of a single video."""
        given = {
            field.name: getattr(self, field.name)
            for field in fields(self)
        }
        return replace(
            self, **{
                name: None if value is None else value[chosen]
                for name, value in given.items()
            })


@dataclass(kw_only=True)
class Predictions:
    """Predictions of any method, returned by ``decode``.

    Masks are not part of them: the head builds masks on demand.

    Args:
        logits: (D, P, T, N, K), class scores before the sigmoid. A method
            without queries has N = 1, one without layers D = 1.
        image_sizes: (P, 2) float, (height, width) without padding.
        input_size: (height, width) with padding; None stands for 4 times the
            size of the masks.
        boxes: (D, P, T, N, 4), (cx, cy, w, h) in [0, 1] of the image without
            padding; None from a method without boxes.
        dense: (P*T, C, h, w), a map that depends on the sentence, for the
            training-only dense head; None from a method that has no such map.
    """
    logits: Tensor
    image_sizes: Tensor
    input_size: tuple[int, int] | None = None
    boxes: Tensor | None = None
    dense: Tensor | None = None


@dataclass(kw_only=True)
class QueryPredictions(Predictions):
    """Predictions of a method with object queries.

    Args:
        queries: (D, P, T, N, C), decoder states, first layer first.
        references: (D, P, T, N, 4), boxes after each layer, detached; None
            from a method without reference points.
        mask_features: (P, T, C, h_0, w_0), stride 4.
        mask_projection: the convolution that ``mask_features`` still lack,
            see :meth:`ReferFormer.decode_for_masks`; None for none.
        logits, image_sizes, input_size, boxes, dense: see
            :class:`Predictions`.
    """
    queries: Tensor
    references: Tensor | None
    mask_features: Tensor
    mask_projection: nn.Conv2d | None = None

    def take_layer(self, layer: int) -> 'QueryPredictions':
        """Take the predictions of one decoder layer; D becomes 1."""
        return replace(
            self, **{
                name: getattr(self, name)[layer][None]
                for name in ('queries', 'references', 'logits', 'boxes')
            })

    def take(self, frames: Tensor) -> 'QueryPredictions':
        """Take some frames of each pair; T becomes T'.

        Args:
            frames: (P, T') long, positions in the clip.
        """
        pairs = torch.arange(len(frames), device=frames.device)[:, None]

        def by_layer(x: Tensor | None) -> Tensor | None:
            return None if x is None else x[:, pairs, frames]

        dense = self.dense
        if dense is not None:
            dense = dense.unflatten(0, (len(frames), -1))[
                pairs, frames].flatten(0, 1)
        return replace(
            self,
            queries=by_layer(self.queries),
            references=by_layer(self.references),
            logits=by_layer(self.logits),
            boxes=by_layer(self.boxes),
            mask_features=self.mask_features[pairs, frames],
            dense=dense)


@dataclass
class Targets:
    """Ground truth of a training batch, one row per (video, expression) pair.

    Args:
        masks: (P, T, H, W) bool at the padded size of the batch.
        boxes: (P, T, 4), normalised (cx, cy, w, h), zero where absent.
        valid: (P, T) bool, False where the object is absent.
        labels: (P,) long, class of the object.
        others: (n, T, H, W) bool per pair, the other annotated objects of
            the clip; None where the pipeline does not load them.
    """
    masks: Tensor
    boxes: Tensor
    valid: Tensor
    labels: Tensor
    others: list[Tensor] | None = None

    def objects(self, video_index: Tensor) -> list[Tensor]:
        """Collect all annotated objects of each clip.

        Args:
            video_index: (P,) long, the video of each pair, in order.

        Returns:
            (n, T, H, W) bool per clip. The first row is the target of the
            clip's first pair.

        Raises:
            ValueError: the pipeline does not load the other objects.
        """
        if self.others is None:
            raise ValueError(
                'the masks of all objects are needed, but the pipeline loads '
                'only the targets: set LoadClipMasks(all_objects=True)')
        first = [
            pair for pair, video in enumerate(video_index.tolist())
            if pair == 0 or video != video_index[pair - 1]
        ]
        return [
            torch.cat([self.masks[pair, None], self.others[pair]])
            for pair in first
        ]

    def take(self, frames: Tensor) -> 'Targets':
        """Take some frames of each pair; T becomes T'.

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
