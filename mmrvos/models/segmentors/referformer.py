from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mmcv.cnn import ConvModule
from mmdet.models.layers import SinePositionalEncoding
from mmengine.model import ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..derive import derive, settings
from ..features import MultiscaleFeatures, QueryPredictions, TextFeatures
from ..layers import Memory
from ..pixel_decoders import CrossModalFPN
from .backbone_maps import padding_masks, rows_of, run_backbone
from .motion_training import MotionTraining
from .parts import Part

GROUPS = 32  # of the group norms behind the projections


@MODELS.register_module()
class ReferFormer(MotionTraining):
    """ReferFormer (Wu et al., CVPR 2022) and what plugs into it.

    The levels are the projected maps of the backbone but the finest, and one
    of half the size of the coarsest: strides 8 to 64 for four maps.

    Args:
        fusion, encoder, decoder, pixel_decoder, head: configs of the parts.
        temporal: config of a part that mixes the frames of the projected
            levels before the fusion, see :class:`TemporalMixer`; None, as in
            the paper, for no such part.
        decode_all_frames: where one frame of a clip is annotated
            (A2D-Sentences), decode all frames and then keep the predictions
            of the annotated one. False, as in the official code, decodes only
            that frame, so layers across frames have no other frame to
            attend to.
        backbone_channels, embed_dims: see :class:`BaseRVOSSegmentor`.
        kwargs: see :class:`MotionTraining`.

    Raises:
        ValueError: two keys of the config contradict each other.
    """
    parts = (
        *MotionTraining.parts,
        Part('projections'),
        Part('temporal', compiled=True),
        Part('fusion'),
        Part('encoder', compiled=True),
        Part('decoder', compiled=True),
        Part('pixel_decoder', compiled=True),
    )

    def __init__(self,
                 *,
                 backbone_channels: Sequence[int],
                 fusion: dict,
                 encoder: dict,
                 decoder: dict,
                 pixel_decoder: dict,
                 head: dict,
                 embed_dims: int = 256,
                 temporal: dict | None = None,
                 decode_all_frames: bool = False,
                 **kwargs) -> None:
        if embed_dims % GROUPS:
            raise ValueError(f'embed_dims={embed_dims}: expected a multiple '
                             f'of {GROUPS}, the groups of the norms')
        width = ('embed_dims', embed_dims)
        num_levels = ('len(backbone_channels)', len(backbone_channels))
        fusion = derive('fusion', fusion, embed_dims=width)
        encoder = derive(
            'encoder', encoder, embed_dims=width, num_levels=num_levels)
        decoder = derive(
            'decoder', decoder, embed_dims=width, num_levels=num_levels)
        pixel_decoder = derive(
            'pixel_decoder',
            pixel_decoder,
            embed_dims=width,
            num_levels=num_levels,
            fine_channels=('backbone_channels[0]', backbone_channels[0]),
            # the levels but the coarsest
            in_channels=('(embed_dims, ...)',
                         (embed_dims, ) * (len(backbone_channels) - 1)))
        head = derive('head', head,
                      **settings('decoder', decoder, 'num_layers'),
                      **settings('pixel_decoder', pixel_decoder,
                                 'mask_channels'))
        super().__init__(
            backbone_channels=backbone_channels,
            head=head,
            embed_dims=embed_dims,
            **kwargs)
        for key in ('decoded_frames', 'motion_head', 'word_head'):
            if decode_all_frames and getattr(self, key) is not None:
                raise ValueError(
                    f'decode_all_frames=True contradicts {key}, which is for '
                    'clips that are annotated in all frames: remove one')
        self.decode_all_frames = decode_all_frames
        self.temporal = temporal and MODELS.build(
            derive('temporal', temporal, embed_dims=width))
        self.fusion = MODELS.build(fusion)
        self.encoder = MODELS.build(encoder)
        self.decoder = MODELS.build(decoder)
        self.pixel_decoder = MODELS.build(pixel_decoder)
        norm = dict(type='GN', num_groups=GROUPS)
        # strides 8, 16, 32; and 64 from the backbone's stride-32 map
        self.projections = ModuleList(
            ConvModule(
                c, embed_dims, 1, bias=True, norm_cfg=norm, act_cfg=None)
            for c in backbone_channels[1:])
        self.projections.append(
            ConvModule(
                backbone_channels[-1],
                embed_dims,
                3,
                stride=2,
                padding=1,
                bias=True,
                norm_cfg=norm,
                act_cfg=None))
        self.position = SinePositionalEncoding(
            embed_dims // 2, normalize=True, offset=-0.5)

    def init_weights(self) -> None:
        super().init_weights()
        for projection in self.projections:
            nn.init.xavier_uniform_(projection.conv.weight)
            nn.init.zeros_(projection.conv.bias)
        apply_init_cfg(self)

    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None
                    ) -> MultiscaleFeatures:
        maps, num_frames = run_backbone(
            self.backbone,
            frames,
            # the mixer needs the frames around the annotated one
            None if self.temporal or self.decode_all_frames else valid_index,
            channels_last=self.channels_last,
            max_frames=self.chunks.frames)
        levels = tuple(
            projection(m) for projection, m in zip(
                self.projections, [*maps[1:], maps[-1]], strict=True))
        strided = [maps[0], *levels]
        padding = padding_masks(image_sizes, frames,
                                [m.shape[-2:] for m in strided])
        if padding is None:
            positions = [self.position(None, m[:1]) for m in strided]
        else:
            positions = [self.position(p) for p in padding]
        if self.temporal:
            levels = self.temporal(levels, num_frames,
                                   padding and padding[1:])
        clip = MultiscaleFeatures(
            fine=maps[0],
            levels=levels,
            padding=padding,
            positions=tuple(p.to(maps[0].dtype) for p in positions),
            num_frames=num_frames,
            image_sizes=image_sizes.to(frames.device, non_blocking=True),
            input_size=tuple(frames.shape[-2:]),
            chunks=self.chunks)
        if valid_index is not None and self.decode_all_frames:
            return replace(clip, valid_index=valid_index)
        if valid_index is not None and self.temporal:
            return clip.take(valid_index[:, None])
        return clip

    def encode_text(self,
                    expressions: Sequence[Sequence[str]]) -> TextFeatures:
        return self.text_encoder.encode(expressions)

    def fuse(self, clip: MultiscaleFeatures, text: TextFeatures
             ) -> tuple[MultiscaleFeatures, Memory, Tensor]:
        """Fuse clips with expressions and encode the levels.

        Returns:
            One clip per pair, its encoded levels, and the sentences (P, C).
        """
        clip = clip.select(text.video_index)
        fused, sentence = self.fusion(clip, text)
        return clip, self.encoder(fused, clip), sentence

    def dense_map(self, clip: MultiscaleFeatures,
                  text: TextFeatures) -> Tensor:
        clip, memory, _ = self.fuse(clip, text)
        dense = memory.maps()[0]
        if clip.valid_index is None:
            return dense
        return dense[rows_of(clip.valid_index, clip.num_frames)]

    def decode(self,
               clip: MultiscaleFeatures,
               text: TextFeatures,
               project: bool = True) -> QueryPredictions:
        """See the base class.

        Args:
            project: apply the last convolution of the pixel decoder; a
                subclass that overrides this method takes it too.
        """
        clip, memory, sentence = self.fuse(clip, text)
        queries, initial, references = self.decoder(sentence, memory,
                                                    clip.num_frames,
                                                    self.head.refiners())
        options = {} if project else dict(project=False)
        mask_features = self.pixel_decoder(clip, memory, text, **options)
        predictions = self.head(queries, initial, references, mask_features,
                                clip.image_sizes)
        if not project:
            predictions = replace(
                predictions, mask_projection=self.pixel_decoder.mask_features)
        return self.complete(predictions, clip, memory)

    def complete(self, predictions: QueryPredictions,
                 clip: MultiscaleFeatures, memory: Memory) -> QueryPredictions:
        """Add input size and dense map, and keep only the annotated frame of
        clips that have one."""
        predictions = replace(
            predictions, input_size=clip.input_size, dense=memory.maps()[0])
        if clip.valid_index is not None:
            return predictions.take(clip.valid_index[:, None])
        return predictions

    def decode_chunks(self, clip: MultiscaleFeatures, text: TextFeatures,
                      state: Any) -> Iterator[QueryPredictions]:
        """See the base class.

        Of several expressions, the part of the pixel decoder without language
        is computed once.
        """
        if len(text.words) > 1 and isinstance(self.pixel_decoder,
                                              CrossModalFPN):
            clip = self.pixel_decoder.prepare(clip)
        yield from super().decode_chunks(clip, text, state)

    def decode_for_masks(self, clip: MultiscaleFeatures,
                         text: TextFeatures) -> QueryPredictions:
        """See the base class.

        The head composes the last convolution of the pixel decoder with the
        first layer of the chosen queries.
        """
        if isinstance(self.pixel_decoder, CrossModalFPN):
            return self.decode(clip, text, project=False)
        return self.decode(clip, text)
