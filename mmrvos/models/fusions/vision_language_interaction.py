from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..features import MultiscaleFeatures, TextFeatures
from ..layers import AttentionBlock, to_maps, to_tokens


class AttentionMultiply(BaseModule):
    """``x * MHA(x, key, value)``: no residual, no norm.

    Args:
        embed_dims: C.
        num_heads: attention heads.
    """

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, batch_first=True)

    def forward(self, x: Tensor, key: Tensor, value: Tensor,
                padding: Tensor | None) -> Tensor:
        """See :meth:`AttentionBlock.forward`."""
        return x * self.attention(
            x, key, value, key_padding_mask=padding, need_weights=False)[0]


@MODELS.register_module()
class VisionLanguageInteraction(BaseModule):
    """IFIRVOS's early fusion, of both modalities in parallel.

    Vision enhanced with language, VEwL (section 3.3, Eq. 3-4): on every level
    the pixels of all frames attend to the words. With the defaults this is
    ReferFormer's fusion.
    Language enhanced with vision, LEwV (section 3.3, Eq. 1-2): the words
    attend to the pixels of all frames, level by level, stride 8 first. The
    result is pooled to the sentence for the decoder. Each submodule has one
    attention for all levels and reads the features of the other modality
    before their enhancement.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        interaction: how the attended features are combined with the input
            (Table 5): 'multiply' element-wise, or 'ffn' with residual, norm,
            feed-forward network, residual, norm.
        text_update: the words that VEwL reads at a level (Table 5): 'fixed'
            for the input words, 'dynamic' for the output of LEwV for the
            levels before.
        feedforward_channels, dropout: of the interaction 'ffn'.

    Raises:
        ValueError: ``interaction`` or ``text_update`` is unknown.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 interaction: str = 'multiply',
                 text_update: str = 'fixed',
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if interaction not in ('multiply', 'ffn'):
            raise ValueError("interaction is 'multiply' or 'ffn', got "
                             f'{interaction!r}')
        if text_update not in ('fixed', 'dynamic'):
            raise ValueError("text_update is 'fixed' or 'dynamic', got "
                             f'{text_update!r}')

        def build() -> BaseModule:
            if interaction == 'multiply':
                return AttentionMultiply(embed_dims, num_heads)
            return AttentionBlock(embed_dims, num_heads, feedforward_channels,
                                  dropout)

        self.text_update = text_update
        self.vewl = build()
        self.lewv = build()
        self.pooler = nn.Linear(embed_dims, embed_dims)

    def init_weights(self) -> None:
        """Initialise LEwV's product with the words, by an output bias of 1.

        The paper does not give an initialisation. With PyTorch's zero bias
        each level multiplies by values around 0.2. After four levels the
        features of two sentences hardly differ, and a model from scratch
        does not learn to use the language.
        """
        if isinstance(self.lewv, AttentionMultiply):
            nn.init.ones_(self.lewv.attention.out_proj.bias)
        apply_init_cfg(self)

    def forward(self, clip: MultiscaleFeatures,
                text: TextFeatures) -> tuple[tuple[Tensor, ...], Tensor]:
        """Enhance every level with the words, and the words with all levels.

        Args:
            clip: one clip per pair; levels (P*T, C, h_i, w_i).
            text: P expressions; their ``sentence`` is not used.

        Returns:
            The enhanced levels, shapes unchanged, and the vision-enhanced
            sentence (P, C) for the decoder.
        """
        num_frames = clip.num_frames
        words, enhanced = text.words, []
        for index, level in enumerate(clip.levels):
            pixels = to_tokens(level, num_frames)
            read = words if self.text_update == 'dynamic' else text.words
            tokens = self.vewl(pixels, read + text.positions, read,
                               text.padding)
            enhanced.append(to_maps(tokens, num_frames, level.shape[-2:]))
            # clip.positions also has stride 4
            positions = clip.positions[index + 1].flatten(2).transpose(1, 2)
            keys = pixels.unflatten(1, (num_frames, -1)) + positions[:, None]
            words = self.lewv(words, keys.flatten(1, 2), pixels,
                              clip.token_padding(index))
        # as RoBERTa's pooler: the first token represents the sentence
        return tuple(enhanced), self.pooler(words[:, 0]).tanh()
