from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..layers import SelectiveAttention, to_maps, to_tokens


@MODELS.register_module()
class CrossModalAdapter(BaseModule):
    """Cross-modal temporal adapter (CMT) of SAMWISE.

    It sits between a stage of the image encoder and a group of layers of the
    text encoder, and adapts both. The pixels attend to the words of their
    sentence, and the words attend to the pixels of the mean frame.
    Attended features multiply the input (no sum, no norm). Both directions
    read the unchanged input.

    Args:
        visual_channels: C_i, channels of the stage.
        text_channels: D, width of the text model.
        embed_dims: A, width of the adapter.
        num_heads: attention heads.
        selective: attend across frames, see :class:`SelectiveAttention`. Off
            in the pretraining on images.
        patch_size: of this attention.
        dropout: of the attention weights of this attention.
    """

    def __init__(self,
                 *,
                 visual_channels: int,
                 text_channels: int,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 selective: bool = True,
                 patch_size: int = 8,
                 dropout: float = 0.1,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.visual_down = nn.Sequential(
            nn.Conv2d(visual_channels, embed_dims, 1, bias=False),
            nn.BatchNorm2d(embed_dims), nn.ReLU())
        # Equal to a 1x1 convolution. Its weight has the official shape, on
        # which the initialisation depends.
        self.visual_up = nn.Sequential(
            nn.ConvTranspose2d(embed_dims, visual_channels, 1, bias=False),
            nn.BatchNorm2d(visual_channels), nn.ReLU())
        self.text_down = nn.Linear(text_channels, embed_dims, bias=False)
        self.text_up = nn.Linear(embed_dims, text_channels, bias=False)
        self.text_to_vision = nn.MultiheadAttention(
            embed_dims, num_heads, batch_first=True)
        self.vision_to_text = nn.MultiheadAttention(
            embed_dims, num_heads, batch_first=True)
        self.selective = SelectiveAttention(
            embed_dims=embed_dims,
            num_heads=num_heads,
            patch_size=patch_size,
            dropout=dropout) if selective else None

    def init_weights(self) -> None:
        """Keep the initialisation of torch, which is official."""
        apply_init_cfg(self)

    def forward(self,
                maps: Tensor,
                words: Tensor,
                num_frames: int,
                padding: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute what is added to the maps and to the words.

        Args:
            maps: (P*T, C_i, h, w).
            words: (P, L, D).
            num_frames: T.
            padding: (P, L) bool, the words that pixels do not attend to; None
                for none.

        Returns:
            (P*T, C_i, h, w), at least 0, and (P, L, D).
        """
        x = self.visual_down(maps)
        text = self.text_down(words)
        attended = x
        if self.selective is not None:
            attended = x + self.selective(x, num_frames)
        pixels = to_tokens(attended, num_frames)  # (P, T*h*w, A)
        gate = self.text_to_vision(
            pixels, text, text, key_padding_mask=padding,
            need_weights=False)[0]
        attended = to_maps(pixels * gate, num_frames, x.shape[-2:])
        # without the attention across frames
        mean = x.unflatten(0, (-1, num_frames)).mean(1)
        mean = mean.flatten(2).transpose(1, 2)  # (P, h*w, A)
        gate = self.vision_to_text(text, mean, mean, need_weights=False)[0]
        return self.visual_up(attended), self.text_up(text * gate)
