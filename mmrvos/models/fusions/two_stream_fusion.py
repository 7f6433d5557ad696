from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import MultiscaleFeatures, TextFeatures
from ..layers import to_tokens
from .cross_modal_fusion import CrossModalFusion


@MODELS.register_module()
class TwoStreamFusion(BaseModule):
    """SOC's multi-modal fusion (MMF) of pixels and words, in both directions.

    ``v' = v * MHA(v, w)`` at every level (SOC, Eq. 2) is ReferFormer's
    fusion. In ``w' = w * MHA(w, v)`` (Eq. 3) the words attend to the pixels
    of all frames, which are not fused themselves. SOC uses the fused words of
    stride 32 only, so no others are computed.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        language_to_vision: fuse the levels (L2V of Table 4).
        vision_to_language: fuse the words (V2L of Table 4).
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 language_to_vision: bool = True,
                 vision_to_language: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.vision = self.language = None
        if language_to_vision:
            self.vision = CrossModalFusion(
                embed_dims=embed_dims, num_heads=num_heads)
        if vision_to_language:
            self.language = nn.MultiheadAttention(
                embed_dims, num_heads, batch_first=True)

    def forward(self, clip: MultiscaleFeatures,
                text: TextFeatures) -> tuple[tuple[Tensor, ...], Tensor]:
        """Fuse in both directions; a disabled stream returns its input.

        Args:
            clip: one clip per pair; levels (P*T, C, h_i, w_i), strides 8 to
                64.
            text: P expressions.

        Returns:
            The levels, shapes unchanged, and the words (P, L, C).
        """
        levels, words = clip.levels, text.words
        if self.vision is not None:
            levels, _ = self.vision(clip, text)
        if self.language is not None:
            words = words * self.attend_pixels(words, clip)
        return levels, words

    def attend_pixels(self, words: Tensor, clip: MultiscaleFeatures) -> Tensor:
        """Let words (P, L, C) attend to the pixels of all frames.

        The level is the second coarsest, of stride 32.
        """
        level, position = clip.levels[-2], clip.positions[-2]
        if len(position) > 1:
            position = position.repeat_interleave(clip.num_frames, 0)
        return self.language(
            words,
            to_tokens(level + position, clip.num_frames),
            to_tokens(level, clip.num_frames),
            key_padding_mask=clip.token_padding(len(clip.levels) - 2),
            need_weights=False)[0]
