from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..derive import derive
from ..features import ClipFeatures, TextFeatures
from ..heads.boundary_aware_head import AlignedPredictions
from .backbone_maps import padding_masks, run_backbone
from .base import BaseRVOSSegmentor
from .parts import Part

LEVELS = ('video', 'frame', 'object')


@dataclass(kw_only=True)
class MultiLevelFeatures(ClipFeatures):
    """Pixel embeddings of MLRL's levels, without language.

    Args:
        embeddings: {level: (B*T, C, h, w)}.
        pyramid: (B*T, C_i, h_i, w_i) each, the backbone's maps, fine to
            coarse.
        padding: (B, h, w) bool, True where padded, or None.
    """
    embeddings: dict[str, Tensor]
    pyramid: Sequence[Tensor]
    padding: Tensor | None


@MODELS.register_module()
class MLRL(BaseRVOSSegmentor):
    """Multi-level representation learning (Wu et al., CVPR 2022).

    A dense method without queries. Pixels are embedded at three levels:
    video, frame and object. Each level is aligned with a language encoding of
    its own, and the head predicts one mask from all levels.

    Args:
        levels: {level: config of its embedding}, of 'video', 'frame' and
            'object'; None switches a level off (Table 3).
        alignment: config of the alignment module; each level has one. None
            concatenates the embeddings without any words, so that all
            sentences get the same mask (Table 3 and Fig. 5, without
            alignment).
        head: config of the head.
        dense_head: config of a training-only head on the aligned map, which
            the paper does not have, see :class:`BaseRVOSSegmentor`.
        backbone_channels, embed_dims, kwargs: see
            :class:`BaseRVOSSegmentor`.

    Raises:
        ValueError: there is no level, or an unknown one.
    """
    # the decoders of the head are most of the work behind the backbone
    parts = (
        *BaseRVOSSegmentor.parts,
        Part('projection'),
        Part('levels', compiled=True),
        Part('alignments', compiled=True),
        Part('head.boundary', compiled=True),
        Part('head.segmentation', compiled=True),
        Part('head.objects', compiled=True),
    )

    def __init__(self,
                 *,
                 backbone_channels: Sequence[int],
                 levels: dict[str, dict | None],
                 alignment: dict | None,
                 head: dict,
                 embed_dims: int = 384,
                 dense_head: dict | None = None,
                 **kwargs) -> None:
        if not any(levels.values()) or set(levels) - set(LEVELS):
            raise ValueError(f'levels are some of {LEVELS}, got {levels}')
        levels = {name: cfg for name, cfg in levels.items() if cfg}
        width = ('embed_dims', embed_dims)
        aligned = ('len(levels) * embed_dims', len(levels) * embed_dims)
        super().__init__(
            backbone_channels=backbone_channels,
            embed_dims=embed_dims,
            head=derive(
                'head',
                head,
                in_channels=aligned,
                object_channels=('embed_dims of the level object',
                                 embed_dims if 'object' in levels else None),
                pyramid_channels=('backbone_channels',
                                  tuple(backbone_channels))),
            **kwargs)
        self.dense_head = dense_head and MODELS.build(
            derive('dense_head', dense_head, in_channels=aligned))
        self.projection = nn.Conv2d(backbone_channels[-1], embed_dims, 1)
        self.levels = nn.ModuleDict({
            name: MODELS.build(
                derive(f'levels.{name}', cfg, embed_dims=width))
            for name, cfg in levels.items()
        })
        # the video level encodes time in its positions, too (Eq. 8)
        self.alignments = nn.ModuleDict({
            name: MODELS.build(
                derive(
                    'alignment',
                    alignment,
                    embed_dims=width,
                    scope=(f'scope of the level {name}',
                           'video' if name == 'video' else 'frame')))
            for name in (levels if alignment else ())
        })

    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None) -> MultiLevelFeatures:
        pyramid, num_frames = run_backbone(
            self.backbone,
            frames,
            valid_index,
            channels_last=self.channels_last,
            max_frames=self.chunks.frames)
        x = self.projection(pyramid[-1])
        input_size = tuple(frames.shape[-2:])
        padding = padding_masks(image_sizes, frames, [x.shape[-2:]])
        padding = padding and padding[0]
        return MultiLevelFeatures(
            embeddings={
                name: level(x, num_frames, padding)
                for name, level in self.levels.items()
            },
            pyramid=pyramid,
            padding=padding,
            num_frames=num_frames,
            image_sizes=image_sizes.to(frames.device, non_blocking=True),
            input_size=input_size,
            chunks=self.chunks)

    def encode_text(self,
                    expressions: Sequence[Sequence[str]]) -> TextFeatures:
        return self.text_encoder.encode(expressions)

    def dense_map(self, clip: MultiLevelFeatures,
                  text: TextFeatures) -> Tensor:
        """Align all levels with the sentences, (P*T, M, h, w)."""
        videos = text.video_index
        padding = None if clip.padding is None else clip.padding[videos]
        aligned = []
        for name, embedding in clip.embeddings.items():
            embedding = embedding.unflatten(
                0, (-1, clip.num_frames))[videos].flatten(0, 1)
            if self.alignments:
                embedding = self.alignments[name](
                    embedding, clip.num_frames, padding, text)
            aligned.append(embedding)
        return torch.cat(aligned, dim=1)

    def decode(self, clip: MultiLevelFeatures,
               text: TextFeatures) -> AlignedPredictions:
        videos = text.video_index
        return self.head(
            self.dense_map(clip, text), clip.embeddings.get('object'),
            clip.pyramid, videos,
            None if clip.padding is None else clip.padding[videos],
            clip.image_sizes[videos], clip.input_size)
