from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmdet.models.layers import MLP
from mmengine.model import ModuleList
from torch import Tensor

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

from ..backbones.sam2_network import DecodedFrame, SAM2Network
from ..chunks import chunk_slices
from ..decoders.video_memory import VideoMemory
from ..derive import derive
from ..features import ClipFeatures
from ..heads.samwise_head import Decisions, SAMWISEPredictions
from ..text_encoders.staged_text_encoder import StagedTextFeatures
from .backbone_maps import rows_of, run_backbone
from .base import BaseRVOSSegmentor
from .batch import (
    collect_targets,
    image_sizes,
    stack_clips,
    valid_indices,
    video_index,
)
from .parts import Part


@dataclass(kw_only=True)
class UnadaptedFeatures(ClipFeatures):
    """Maps of SAM 2 in front of the first adapter, without language.

    Args:
        fine: (B*T, C/8, 4G, 4G), for the mask decoder.
        stage: (B*T, C_1, 2G, 2G), the second stage of Hiera.
        largest: (h, w) of the largest image of the batch.
        valid_index: (B,) long, the only frame of each clip that predictions
            are wanted of, although all are decoded; None for all frames.
    """
    fine: Tensor
    stage: Tensor
    largest: tuple[int, int]
    valid_index: Tensor | None = None


@MODELS.register_module()
class SAMWISE(BaseRVOSSegmentor):
    """SAMWISE (Cuttano et al., CVPR 2025): SAM 2 with language, online.

    Adapters between the encoders of SAM 2 and of the text change the features
    of both. The first token of the adapted sentence prompts the mask decoder
    in every frame. Frames are decoded one after the other with a memory of
    the latest ones, which goes on from window to window.

    Sentences share the image encoder up to the first adapter, and windows
    share the text encoder up to there.

    With ``text_encoder.verbs``, the mean state of the verbs is a second
    prompt of the decoding with memory: the motion prompt of the paper, which
    is off in the published models. A sentence without a verb gets SAM 2's
    embedding of a missing prompt.

    Args:
        sam2: config of :class:`SAM2Network`.
        text_encoder: config of :class:`StagedTextEncoder`.
        adapter: config of the adapters, one behind each of the last three
            stages of Hiera.
        head: config of the head.
        text_layers: layers of the text model in front of each adapter.
        patch_sizes: of the attention across frames of each adapter.
        memory_decision: config of :class:`ConditionalMemoryEncoder`; None
            stores every mask as it is.
        keep_memory: keep the memory when a window has one frame. The official
            code empties it then, also if this is the last window of a longer
            video.
        embed_dims: C, width of SAM 2.
        kwargs: see :class:`BaseRVOSSegmentor`.

    Raises:
        ValueError: two keys of the config contradict each other.
    """
    masks_padding = False  # SAM 2 sees it as a part of the square
    parts = (
        # Hiera up to the first adapter, and the first layers of the text model
        Part('sam2', compiled=True),
        Part('text_encoder'),
        # what follows depends on both
        Part('adapters', compiled=True),
        Part('adapted_stage'),
        Part('adapted_layers'),
        Part('sam2.combine'),
        Part('text_prompt'),
        Part('motion_prompt'),
        Part('sam2.with_memory'),
        Part('sam2.decode'),
        Part('sam2.encode_memory'),
        Part('memory_decision'),
        Part('head'),
        Part('category_head'),
        Part('dense_head'),
    )

    def __init__(self,
                 *,
                 sam2: dict,
                 text_encoder: dict,
                 adapter: dict,
                 head: dict,
                 text_layers: Sequence[int] = (4, 4, 4),
                 patch_sizes: Sequence[int] = (8, 4, 2),
                 memory_decision: dict | None = None,
                 keep_memory: bool = False,
                 embed_dims: int = 256,
                 **kwargs) -> None:
        for key in ('backbone', 'backbone_channels'):
            if key in kwargs:
                raise ValueError(
                    f'{key}: SAMWISE encodes frames with sam2, remove it')
        width = ('embed_dims', embed_dims)
        network = MODELS.build(derive('sam2', sam2, embed_dims=width))
        super().__init__(
            backbone=None,
            backbone_channels=network.channels,
            text_encoder=derive(
                'text_encoder',
                text_encoder,
                first_layers=('text_layers[0]', text_layers[0])),
            head=head,
            embed_dims=embed_dims,
            **kwargs)
        if sum(text_layers) != self.text_encoder.num_layers:
            raise ValueError(
                f'text_layers={tuple(text_layers)}: expected '
                f'{self.text_encoder.num_layers} layers in total, those of '
                'the text model')
        if self.test_cfg.overlap:
            raise ValueError(
                f'test_cfg.overlap={self.test_cfg.overlap}: SAMWISE decodes '
                'each frame once, with a memory of earlier windows; remove it')
        self.sam2 = network
        self.text_layers = tuple(text_layers)
        self.keep_memory = keep_memory
        self.text_prompt = MLP(self.text_encoder.width, embed_dims, embed_dims,
                               3)
        self.motion_prompt = None
        if self.text_encoder.verbs is not None:
            self.motion_prompt = MLP(self.text_encoder.width, embed_dims,
                                     embed_dims, 3)
        self.adapters = ModuleList(
            MODELS.build(
                derive(
                    'adapter',
                    adapter,
                    visual_channels=('the stage of sam2', channels),
                    text_channels=('the text model', self.text_encoder.width),
                    patch_size=('patch_sizes', patch_size)))
            for channels, patch_size in zip(
                network.channels[1:], patch_sizes, strict=True))
        self.memory_decision = memory_decision and MODELS.build(
            derive('memory_decision', memory_decision, embed_dims=width))

    @property
    def backbone(self) -> SAM2Network:
        """The part that encodes frames without language."""
        return self.sam2

    # ---- encoders

    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None) -> UnadaptedFeatures:
        (fine, stage), num_frames = run_backbone(
            self.backbone,
            self.pad_to_square(frames, image_sizes),
            channels_last=self.channels_last,
            max_frames=self.chunks.frames)
        return UnadaptedFeatures(
            fine=fine,
            stage=stage,
            largest=tuple(image_sizes.amax(0).int().tolist()),
            valid_index=valid_index,
            num_frames=num_frames,
            image_sizes=image_sizes.to(frames.device, non_blocking=True),
            input_size=tuple(frames.shape[-2:]),
            chunks=self.chunks)

    def pad_to_square(self, frames: Tensor, image_sizes: Tensor) -> Tensor:
        """Pad or cut frames (..., h, w) to (..., S, S).

        The official resizing rounds the short side to whole pixels, and the
        long side follows from it. It exceeds S by one pixel at an aspect
        ratio of 5 to 1, and by more at higher ratios. The pixels beyond S are
        cut.

        Args:
            frames: padded with zeros.
            image_sizes: (B, 2), (height, width) without padding.

        Raises:
            ValueError: a frame is larger than rounding makes it.
        """
        size = self.sam2.image_size
        for height, width in image_sizes.int().tolist():
            longest, ratio = max(height, width), max(
                height / width, width / height)
            if longest > size + ratio:
                raise ValueError(
                    f'frames of {height}x{width} pixels do not fit into '
                    f'sam2.image_size={size}: resize them in the pipeline, '
                    'or raise image_size')
        return F.pad(frames, (0, size - frames.shape[-1], 0,
                              size - frames.shape[-2]))

    def encode_text(self, expressions: Sequence[Sequence[str]]
                    ) -> StagedTextFeatures:
        return self.text_encoder.encode(expressions)

    def adapt(self, clip: UnadaptedFeatures, text: StagedTextFeatures
              ) -> tuple[Tensor, Tensor, Tensor]:
        """Run both encoders behind the first adapter.

        Returns:
            The map of stride 8 for the mask decoder, (P*T, C/4, 2G, 2G); the
            features of the frames, (P*T, C, G, G); the prompts, (P, K, C).
        """
        x = clip.stage.unflatten(0, (-1, clip.num_frames))
        x, words = x[text.video_index].flatten(0, 1), text.words
        maps = []
        for stage, adapter in enumerate(self.adapters, 1):
            if stage > 1:
                x = self.adapted_stage(stage, x, clip.chunks.frames)
                words = self.adapted_layers(stage, words, text.padding)
            more, more_words = adapter(x, words, clip.num_frames,
                                       self.adapter_padding(text))
            x, words = x + more, words + more_words
            maps.append(x)
        fine, features = self.sam2.combine(maps)
        return fine, features, self.prompts(words, text.verbs)

    def prompts(self, words: Tensor, verbs: Tensor | None) -> Tensor:
        """Project states of the text model to prompts.

        Args:
            words: (P, L, D).
            verbs: (P, L) bool, tokens of verbs; None without motion prompt.

        Returns:
            (P, K, C): the first token and, with verbs, their mean.
        """
        prompts = self.text_prompt(words[:, :1])
        if self.motion_prompt is None:
            return prompts
        count = verbs.sum(1)[:, None]
        mean = (words * verbs[..., None]).sum(1) / count.clamp(min=1)
        motion = torch.where(count > 0, self.motion_prompt(mean),
                             self.sam2.no_prompt)
        return torch.cat([prompts, motion[:, None]], dim=1)

    def adapted_stage(self, stage: int, x: Tensor,
                      max_frames: int | None) -> Tensor:
        """Run a stage of Hiera on maps that depend on the sentence.

        Args:
            stage: 2 or 3.
            x: (P*T, C', h, w).
            max_frames: maps computed at once; None for all.
        """
        return torch.cat([
            self.sam2.run_stage(stage, x[part])
            for part in chunk_slices(len(x), max_frames)
        ])

    def adapted_layers(self, stage: int, words: Tensor,
                       padding: Tensor | None) -> Tensor:
        """Run the layers of the text model beside a stage of Hiera.

        Args:
            stage: 2 or 3.
            words: (P, L, D).
            padding: (P, L) bool, or None.
        """
        done = sum(self.text_layers[:stage - 1])
        return self.text_encoder.run_layers(
            words, padding, done, done + self.text_layers[stage - 1])

    def adapter_padding(self, text: StagedTextFeatures) -> Tensor | None:
        """Return the words that adapters ignore.

        In training none: the official adapters attend to padded words. In
        testing the padded ones, as if each sentence were tested by itself.
        """
        return None if self.training else text.padding

    # ---- decoding

    def start_video(self) -> dict[int, VideoMemory]:
        """See the base class: a memory per chunk of expressions."""
        return {}

    def decode_chunks(self, clip: UnadaptedFeatures, text: StagedTextFeatures,
                      state: dict[int, VideoMemory]
                      ) -> Iterator[SAMWISEPredictions]:
        # equal chunks in all windows, also in a shorter one
        cost = self.test_cfg.window or clip.num_frames
        for part in chunk_slices(
                len(text.words), self.chunks.pairs, cost=cost):
            chosen = text.pairs(part)
            if part.start not in state:
                state[part.start] = self.new_memory(chosen)
            yield self.decode(clip, chosen, memory=state[part.start])

    def new_memory(self, text: StagedTextFeatures) -> VideoMemory:
        """Return an empty memory for P pairs."""
        return VideoMemory(
            len(text.words), self.sam2.num_maps, self.sam2.num_pointers)

    def decode(self,
               clip: UnadaptedFeatures,
               text: StagedTextFeatures,
               memory: VideoMemory | None = None) -> SAMWISEPredictions:
        """See the base class.

        Args:
            memory: of the frames before this window, and changed; None for
                the first window of a video.
        """
        if memory is None:
            memory = self.new_memory(text)
        elif clip.num_frames == 1 and not self.keep_memory:
            memory.clear()
        middle, features, prompts = self.adapt(clip, text)
        frames, decisions = [], []
        for t in range(clip.num_frames):
            rows = clip.num_frames * text.video_index + t
            frame, decision = self.decode_frame(
                features[t::clip.num_frames],
                (clip.fine[rows], middle[t::clip.num_frames]), prompts, memory,
                clip.largest)
            frames.append(frame)
            if decision is not None:
                decisions.append(decision)
        predictions = self.head(
            torch.stack([frame.masks for frame in frames], dim=1),
            torch.stack([frame.scores for frame in frames], dim=1),
            self.sam2.image_size, clip.image_sizes[text.video_index],
            clip.largest, cut_padding(features, clip.input_size),
            join(decisions))
        if clip.valid_index is None:
            return predictions
        return predictions.take(clip.valid_index[text.video_index][:, None])

    def decode_frame(self, features: Tensor, fine: tuple[Tensor, Tensor],
                     prompts: Tensor, memory: VideoMemory,
                     largest: tuple[int, int]
                     ) -> tuple[DecodedFrame, Decisions | None]:
        """Decode one frame of P pairs, and store it in the memory.

        Args:
            features: (P, C, G, G).
            fine: maps for the mask decoder.
            prompts: (P, K, C). The decoding without memory gets the first.
            memory: of the frames before.
            largest: (h, w) of the largest image of the batch.

        Returns:
            The frame, and the decisions of a training step, if any.
        """
        sam2 = self.sam2
        if memory.frame:
            remembered = sam2.with_memory(features, memory.maps,
                                          memory.pointers)
        else:
            remembered = sam2.without_memory(features)
        frame = sam2.decode(remembered, fine, prompts)
        masks, decisions = sam2.to_square(frame.masks), None
        if self.memory_decision is not None:
            due = self.memory_decision.due(memory.frame, memory.last_switch)
            if due.any():
                with torch.no_grad():  # the decision is trained, not the mask
                    alone = sam2.decode(
                        sam2.without_memory(features), fine, prompts[:, :1])
                masks, decisions = self.decide(due, frame, masks, alone,
                                               memory, largest)
        memory.store(sam2.encode_memory(features, masks), frame.pointers)
        return frame, decisions

    def decide(self, due: Tensor, frame: DecodedFrame, masks: Tensor,
               alone: DecodedFrame, memory: VideoMemory,
               largest: tuple[int, int]
               ) -> tuple[Tensor, Decisions | None]:
        """Decide which masks the memory stores.

        In training nothing is switched.

        Args:
            due: (P,) bool, pairs that are decided.
            frame, alone: decoded with and without memory.
            masks: (P, S, S) logits of the frame.
            memory: its ``last_switch`` is changed.
            largest: (h, w) of the largest image of the batch.

        Returns:
            (P, S, S) logits, and the decisions of a training step.
        """
        decision = self.memory_decision
        logits = decision(frame.pointers, alone.tokens)
        without = self.sam2.to_square(alone.masks)
        if self.training:
            height, width = largest
            labels = decision.labels(masks[..., :height, :width],
                                     without[..., :height, :width],
                                     alone.scores)
            return masks, Decisions(logits, labels)
        switch = due & (logits.argmax(-1) == 1).cpu()
        memory.last_switch[switch] = memory.frame
        switch = switch.to(masks.device)[:, None, None]
        return torch.where(switch, decision.mix(masks, without), masks), None

    # ---- the first stages of a training from scratch

    def category_losses(self, inputs: Sequence[Tensor],
                        data_samples: Sequence[RVOSDataSample]
                        ) -> dict[str, Tensor]:
        """Classify the objects' pixels; only Hiera runs, without adapters."""
        clips = stack_clips(inputs)
        valid_index = valid_indices(data_samples, clips)
        if valid_index is not None:
            rows = rows_of(valid_index, clips.shape[1])
            clips = clips.flatten(0, 1)[rows][:, None]
        frames = self.pad_to_square(
            clips, image_sizes(data_samples)).flatten(0, 1)
        maps = [
            cut_padding(x, inputs[0].shape[-2:], 4 * 2**stage)
            for stage, x in enumerate(self.sam2.run_stages(frames))
        ]
        return self.category_head.loss(
            maps,
            video_index(data_samples).to(frames.device),
            collect_targets(data_samples, inputs[0]))

    def dense_map(self, clip: UnadaptedFeatures,
                  text: StagedTextFeatures) -> Tensor:
        dense = cut_padding(self.adapt(clip, text)[1], clip.input_size)
        if clip.valid_index is None:
            return dense
        return dense[rows_of(clip.valid_index[text.video_index],
                             clip.num_frames)]


def cut_padding(maps: Tensor, size: Sequence[int], stride: int = 16
                ) -> Tensor:
    """Cut off the cells that only the padding to the square has.

    Args:
        maps: (n, C, h', w') of the square.
        size: (h, w) of the frames.
        stride: of the maps.
    """
    height, width = (-(-side // stride) for side in size)
    return maps[..., :height, :width]


def join(decisions: Sequence[Decisions]) -> Decisions | None:
    """Join the decisions of frames, in the order pair, frame."""
    if not decisions:
        return None
    return Decisions(
        torch.stack([d.logits for d in decisions], dim=1).flatten(0, 1),
        torch.stack([d.labels for d in decisions], dim=1).flatten(0, 1))
