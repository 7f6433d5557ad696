import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

SWITCHES = ('reweight', 'all_mask', 'avg')


@MODELS.register_module()
class ConditionalMemoryEncoder(BaseModule):
    """Decide whether the memory follows the wrong object (CME of SAMWISE).

    A frame is also decoded without memory. If the decision is to switch, the
    mask of this decoding changes the mask that the memory stores. The output
    of the frame stays that of the decoding with memory.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward network.
        dropout: in all layers.
        window: frames t > window are decided, not before window - 1 frames
            after the last switch.
        switch: mask logits that the memory stores after a switch. 'reweight'
            takes 10 times those without memory where they are positive, and
            keeps the others; 'all_mask' takes those without memory; 'avg' the
            mean of both.
        empty_differs: label of an empty against a large mask. The official
            code intends a switch (True) and computes none (False).

    Raises:
        ValueError: ``switch`` is unknown.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 128,
                 dropout: float = 0.1,
                 window: int = 4,
                 switch: str = 'reweight',
                 empty_differs: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if switch not in SWITCHES:
            raise ValueError(
                f'memory_decision.switch is one of {SWITCHES}, got '
                f'{switch!r}')
        self.window = window
        self.switch = switch
        self.empty_differs = empty_differs
        self.token = nn.Embedding(1, embed_dims)
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(embed_dims, feedforward_channels)
        self.linear2 = nn.Linear(feedforward_channels, embed_dims)
        self.norm1 = nn.LayerNorm(embed_dims)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embed_dims, 2)

    def init_weights(self) -> None:
        """Keep the initialisation of torch, which is official."""
        apply_init_cfg(self)

    def forward(self, pointers: Tensor, tokens: Tensor) -> Tensor:
        """Compute the logits of keeping and of switching.

        Args:
            pointers: (P, C), object pointers of the decoding with memory.
            tokens: (P, C), mask tokens after the first layer of the decoding
                without memory.

        Returns:
            (P, 2).
        """
        token = self.token.weight.expand(len(pointers), -1)
        x = torch.stack([token, pointers.detach(), tokens.detach()], dim=1)
        attended = self.attention(x, x, x, need_weights=False)[0]
        x = self.norm1(x + self.dropout(attended))[:, 0]
        hidden = self.dropout(self.linear1(x).relu())
        return self.classifier(
            self.norm2(x + self.dropout(self.linear2(hidden))))

    def due(self, frame: int, last_switch: Tensor) -> Tensor:
        """Mark the pairs that are decided in a frame.

        Args:
            frame: index of the frame, from 0.
            last_switch: (P,) long, frame of the last switch, 0 without one.

        Returns:
            (P,) bool.
        """
        waited = frame - last_switch >= self.window - 1
        return waited & (frame > self.window)

    def mix(self, masks: Tensor, alone: Tensor) -> Tensor:
        """Return the mask logits that the memory stores after a switch.

        Args:
            masks: logits with memory.
            alone: logits without memory, of the same shape.
        """
        if self.switch == 'reweight':
            return torch.where(alone > 0, 10 * alone, masks)
        return alone if self.switch == 'all_mask' else (masks + alone) / 2

    def labels(self, masks: Tensor, alone: Tensor,
               scores: Tensor) -> Tensor:
        """Compute the targets of the decisions.

        Args:
            masks: (n, h, w) logits with memory.
            alone: (n, h, w) logits without memory.
            scores: (n,), object scores without memory.

        Returns:
            (n,) long: 1 if the objects differ (they overlap in at most 10 % of
            the smaller one), else 0; -1, ignored, if there is no object
            without memory, or both masks have at most 50 pixels.
        """
        masks, alone = masks.flatten(1) > 0, alone.flatten(1) > 0
        areas = torch.stack([masks.sum(1), alone.sum(1)])
        smaller = areas.amin(0)
        # 0 / 0 is NaN, which compares as False
        differs = (masks & alone).sum(1) / smaller <= 0.1
        if self.empty_differs:
            differs = differs | (smaller == 0)
        ignored = (scores < 0) | (areas.amax(0) <= 50)
        return torch.where(ignored, -1, differs.long())
