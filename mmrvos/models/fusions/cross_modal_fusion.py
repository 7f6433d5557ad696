import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import MultiscaleFeatures, TextFeatures
from ..layers import to_maps, to_tokens


@MODELS.register_module()
class CrossModalFusion(BaseModule):
    """ReferFormer's early fusion: pixels attend to words, then multiply.

    ``out = v * MHA(query=v, key=words + position, value=words)`` with one
    attention for all levels, and no residual, norm or feed-forward network
    (ReferFormer, section 3.2).

    Args:
        embed_dims: C.
        num_heads: attention heads.
        interaction: how the attended words are combined with the pixels:
            'multiply', or 'add' as in MUTR.

    Raises:
        ValueError: ``interaction`` is unknown.
    """
    INTERACTIONS = dict(multiply=torch.mul, add=torch.add)

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 interaction: str = 'multiply',
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if interaction not in self.INTERACTIONS:
            raise ValueError('interaction is one of '
                             f'{list(self.INTERACTIONS)}, got {interaction!r}')
        self.combine = self.INTERACTIONS[interaction]
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, batch_first=True)

    def forward(self, clip: MultiscaleFeatures,
                text: TextFeatures) -> tuple[tuple[Tensor, ...], Tensor]:
        """Fuse every level with the words.

        Args:
            clip: one clip per pair; levels (P*T, C, h_i, w_i).
            text: P expressions.

        Returns:
            The fused levels, shapes unchanged, and the unchanged sentence
            (P, C) for the decoder.
        """
        keys = text.words + text.positions
        fused = []
        for level in clip.levels:
            pixels = to_tokens(level, clip.num_frames)
            attended = self.attention(
                pixels,
                keys,
                text.words,
                key_padding_mask=text.padding,
                need_weights=False)[0]
            fused.append(
                to_maps(
                    self.combine(pixels, attended), clip.num_frames,
                    level.shape[-2:]))
        return tuple(fused), text.sentence
