import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..layers import to_maps, to_tokens


@MODELS.register_module()
class PixelSelfAttention(BaseModule):
    """Single-head self-attention of pixels with a residual connection.

    ``softmax(Q K' / sqrt(C)) V + P`` with Q, K and V linear in P (MLRL,
    Eq. 1-4).

    Args:
        embed_dims: C.
        scope: 'video' for all pixels of a clip (Eq. 1-3), 'frame' for those
            of each frame (Eq. 4).

    Raises:
        ValueError: ``scope`` is unknown.
    """

    def __init__(self,
                 *,
                 embed_dims: int,
                 scope: str = 'video',
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if scope not in ('video', 'frame'):
            raise ValueError(f"scope is 'video' or 'frame', got {scope!r}")
        self.scope = scope
        self.query = nn.Linear(embed_dims, embed_dims)
        self.key = nn.Linear(embed_dims, embed_dims)
        self.value = nn.Linear(embed_dims, embed_dims)

    def forward(self, maps: Tensor, num_frames: int,
                padding: Tensor | None) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            maps: (B*T, C, h, w).
            num_frames: T.
            padding: (B, h, w) bool, True where padded, or None.
        """
        together = num_frames if self.scope == 'video' else 1
        pixels = to_tokens(maps, together)  # (B, T*h*w, C) or (B*T, h*w, C)
        mask = None
        if padding is not None:
            mask = ~padding.repeat_interleave(num_frames, 0)
            mask = mask.view(len(pixels), 1, 1, -1)
        attended = F.scaled_dot_product_attention(
            self.query(pixels)[:, None],
            self.key(pixels)[:, None],
            self.value(pixels)[:, None],
            attn_mask=mask)[:, 0]
        return maps + to_maps(attended, together, maps.shape[-2:])
