from collections.abc import Sequence
from dataclasses import replace

from mmdet.models.layers import SinePositionalEncoding
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..derive import derive, settings
from ..features import MultiscaleFeatures, QueryPredictions, TextFeatures
from .backbone_maps import padding_masks, run_backbone
from .base import BaseRVOSSegmentor
from .parts import Part


@MODELS.register_module()
class MTTR(BaseRVOSSegmentor):
    """MTTR (Botach et al., CVPR 2022).

    The transformer works on the coarsest map of the backbone, which has
    stride 16 in the paper (no fourth stage, or a dilated one). A coarser map
    is cheaper and shows less.

    Args:
        transformer, pixel_decoder, head: configs of the parts.
        backbone_channels, embed_dims, kwargs: see
            :class:`BaseRVOSSegmentor`.
    """
    parts = (
        *BaseRVOSSegmentor.parts,
        Part('projection'),
        Part('transformer', compiled=True),
        Part('pixel_decoder', compiled=True),
    )

    def __init__(self,
                 *,
                 backbone_channels: Sequence[int],
                 transformer: dict,
                 pixel_decoder: dict,
                 head: dict,
                 embed_dims: int = 256,
                 **kwargs) -> None:
        transformer = derive(
            'transformer', transformer, embed_dims=('embed_dims', embed_dims))
        pixel_decoder = derive(
            'pixel_decoder',
            pixel_decoder,
            fine_channels=('backbone_channels[0]', backbone_channels[0]),
            # the encoded map, then the backbone's maps, coarse to fine
            in_channels=('(embed_dims, *backbone_channels[-2:0:-1])',
                         (embed_dims, *backbone_channels[-2:0:-1])))
        head = derive('head', head,
                      **settings('pixel_decoder', pixel_decoder,
                                 'mask_channels'))
        super().__init__(
            backbone_channels=backbone_channels,
            head=head,
            embed_dims=embed_dims,
            **kwargs)
        self.transformer = MODELS.build(transformer)
        self.pixel_decoder = MODELS.build(pixel_decoder)
        self.projection = nn.Conv2d(backbone_channels[-1], embed_dims, 1)
        # without the offset of half a cell of ReferFormer and SOC
        self.position = SinePositionalEncoding(embed_dims // 2, normalize=True)

    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None
                    ) -> MultiscaleFeatures:
        """Encode frames; see the base class.

        Of ``levels`` only the last is projected, the others are the
        backbone's maps. ``padding`` and ``positions`` have one entry, of the
        last level.
        """
        maps, num_frames = run_backbone(
            self.backbone,
            frames,
            valid_index,
            channels_last=self.channels_last,
            max_frames=self.chunks.frames)
        coarse = self.projection(maps[-1])
        padding = padding_masks(image_sizes, frames, [coarse.shape[-2:]])
        position = (
            self.position(None, coarse[:1])
            if padding is None else self.position(padding[0]))
        return MultiscaleFeatures(
            fine=maps[0],
            levels=(*maps[1:-1], coarse),
            padding=padding,
            positions=(position.to(coarse.dtype), ),
            num_frames=num_frames,
            image_sizes=image_sizes.to(frames.device, non_blocking=True),
            input_size=tuple(frames.shape[-2:]),
            chunks=self.chunks)

    def encode_text(self,
                    expressions: Sequence[Sequence[str]]) -> TextFeatures:
        return self.text_encoder.encode(expressions)

    def dense_map(self, clip: MultiscaleFeatures,
                  text: TextFeatures) -> Tensor:
        clip = clip.select(text.video_index)
        return self.transformer.pixels(
            self.transformer.encode(clip, text)[0], clip)

    def decode(self, clip: MultiscaleFeatures,
               text: TextFeatures) -> QueryPredictions:
        clip = clip.select(text.video_index)
        queries, encoded = self.transformer(clip, text)
        features = self.pixel_decoder(
            [encoded, *clip.levels[-2::-1], clip.fine])
        predictions = self.head(
            queries, features.unflatten(0, (-1, clip.num_frames)),
            clip.image_sizes, clip.input_size)
        return replace(predictions, dense=encoded)
