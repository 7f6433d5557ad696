import math

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from .position_encoding import sine_encoding


class SelectiveAttention(BaseModule):
    """Hierarchical selective attention (HSA) of SAMWISE.

    Each map is cut into patches of P x P cells. The cells of one patch attend
    to each other in all frames of the clip; patches are independent. There is
    no residual.

    Args:
        embed_dims: A, channels.
        num_heads: attention heads.
        patch_size: P.
        dropout: of the attention weights.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 patch_size: int = 8,
                 dropout: float = 0.1,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.patch_size = patch_size
        # place in the patch, row by row; shape of the official weights
        self.position = nn.Parameter(
            torch.zeros(1, 1, 1, patch_size**2, embed_dims))
        self.norm = nn.LayerNorm(embed_dims)
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.linear = nn.Linear(embed_dims, embed_dims)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Return maps of the shape of the first argument.

        Args:
            x: (P*T, A, h, w), h and w multiples of the patch size.
            num_frames: T.

        Raises:
            ValueError: h or w is no multiple of the patch size.
        """
        height, width = x.shape[-2:]
        size = self.patch_size
        if height % size or width % size:
            raise ValueError(
                f'maps of {height}x{width} cells cannot be cut into patches '
                f'of {size}x{size}: change patch_sizes, or image_size')
        # (pair, frame, channel, patch row, row, patch column, column)
        grid = x.view(-1, num_frames, x.shape[1], height // size, size,
                      width // size, size)
        # (pair, patch row, patch column, frame, row, column, channel)
        grid = grid.permute(0, 3, 5, 1, 4, 6, 2)
        tokens = grid.reshape(-1, num_frames, size**2, x.shape[1])
        time = frame_positions(num_frames, x.shape[1], x.device)
        tokens = (tokens + self.position[0] + time[:, None]).flatten(1, 2)
        tokens = self.norm(tokens)
        tokens = self.linear(
            self.attention(tokens, tokens, tokens, need_weights=False)[0])
        return tokens.view(grid.shape).permute(0, 3, 6, 1, 4, 2,
                                               5).reshape(x.shape)


def frame_positions(num_frames: int, num_feats: int,
                    device: torch.device) -> Tensor:
    """Encode frames 1 to T as angles up to 2*pi, with sines.

    The encoding of a frame depends on the length of the clip, as in the
    official code.

    Args:
        num_frames: T.
        num_feats: A, even.
        device: of the result.

    Returns:
        (T, A) float32, sine and cosine interleaved.
    """
    frame = torch.arange(1, num_frames + 1, device=device)
    return sine_encoding(frame * (2 * math.pi / (num_frames + 1e-6)),
                         num_feats)
