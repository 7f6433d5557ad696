from collections.abc import Sequence
from dataclasses import replace

from mmdet.models.layers import SinePositionalEncoding
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import ClipFeatures, Predictions, TextFeatures
from .base import BaseRVOSSegmentor, run_backbone
from .referformer import padding_masks


@MODELS.register_module()
class MTTR(BaseRVOSSegmentor):
    """MTTR (Botach et al., CVPR 2022).

    Args:
        backbone: config of an image or video backbone, as in
            :class:`ReferFormer`, whose coarsest map has stride 16.
        backbone_channels: channels of its maps, fine to coarse.
        text_encoder, transformer, pixel_decoder: configs of the parts.
        embed_dims: C.
        kwargs: of :class:`BaseRVOSSegmentor`.
    """

    def __init__(self,
                 *,
                 backbone: dict,
                 backbone_channels: Sequence[int],
                 text_encoder: dict,
                 transformer: dict,
                 pixel_decoder: dict,
                 embed_dims: int = 256,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.backbone = MODELS.build(backbone)
        self.text_encoder = MODELS.build(text_encoder)
        self.transformer = MODELS.build(transformer)
        self.pixel_decoder = MODELS.build(pixel_decoder)
        self.projection = nn.Conv2d(backbone_channels[-1], embed_dims, 1)
        # unlike ReferFormer's and SOC's: no half a pixel taken off
        self.position = SinePositionalEncoding(embed_dims // 2, normalize=True)

    def encode_clip(self,
                    frames: Tensor,
                    image_sizes: Tensor,
                    valid_index: Tensor | None = None) -> ClipFeatures:
        """See the base class. ``levels`` are the backbone's maps as they are,
        but the last, which is projected; ``padding`` and ``positions`` are
        those of the last."""
        maps, num_frames = run_backbone(self.backbone, frames, valid_index,
                                        self.channels_last)
        coarse = self.projection(maps[-1])
        padding = padding_masks(image_sizes, frames, [coarse.shape[-2:]])
        position = (
            self.position(None, coarse[:1])
            if padding is None else self.position(padding[0]))
        return ClipFeatures(
            fine=maps[0],
            levels=(*maps[1:-1], coarse),
            padding=padding,
            positions=(position.to(coarse.dtype), ),
            num_frames=num_frames,
            image_sizes=image_sizes.to(frames.device, non_blocking=True),
            input_size=tuple(frames.shape[-2:]))

    def encode_text(self,
                    expressions: Sequence[Sequence[str]]) -> TextFeatures:
        return self.text_encoder.encode(expressions)

    def dense_map(self, clip: ClipFeatures, text: TextFeatures) -> Tensor:
        clip = clip.select(text.video_index)
        return self.transformer.pixels(
            self.transformer.encode(clip, text)[0], clip)

    def decode(self, clip: ClipFeatures, text: TextFeatures) -> Predictions:
        clip = clip.select(text.video_index)
        queries, encoded = self.transformer(clip, text)
        features = self.pixel_decoder(
            [encoded, *clip.levels[-2::-1], clip.fine])
        predictions = self.head(
            queries, features.unflatten(0, (-1, clip.num_frames)),
            clip.image_sizes, clip.input_size)
        return replace(predictions, dense=encoded)
