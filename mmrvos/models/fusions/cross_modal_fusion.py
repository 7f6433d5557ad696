from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import ClipFeatures, TextFeatures


@MODELS.register_module()
class CrossModalFusion(BaseModule):
    """ReferFormer's early fusion: pixels attend to words, then multiply.

    ``out = v * MHA(query=v, key=words + position, value=words)`` with one
    attention for all levels, and no residual, norm or feed-forward network
    (ReferFormer, section 3.2).

    Args:
        embed_dims: C.
        num_heads: attention heads.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, batch_first=True)

    def forward(self, clip: ClipFeatures,
                text: TextFeatures) -> tuple[tuple[Tensor, ...], Tensor]:
        """Fuse every level with the words.

        Args:
            clip: one clip a pair; levels (P*T, C, h_i, w_i).
            text: P expressions.

        Returns:
            The fused levels, shapes unchanged, and the sentence (P, C) for
            the decoder, here as it came.
        """
        keys = text.words + text.positions
        fused = []
        for level in clip.levels:
            # all pixels of a clip: (P, T*h*w, C)
            pixels = level.unflatten(0, (-1, clip.num_frames)).movedim(
                2, -1).flatten(1, 3)
            attended = self.attention(
                pixels,
                keys,
                text.words,
                key_padding_mask=text.padding,
                need_weights=False)[0]
            fused.append((pixels * attended).transpose(1, 2).unflatten(
                -1, (clip.num_frames, *level.shape[-2:])).transpose(
                    1, 2).flatten(0, 1))
        return tuple(fused), text.sentence
