"""Dropout that is fast and small on a CPU."""
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

BITS = 16  # random bits per element: the probability is exact to 1e-5


def keep_mask(like: Tensor, drop_prob: float,
              generator: torch.Generator | None = None) -> Tensor:
    """Draw which elements of a tensor on the CPU are kept.

    One random integer of 64 bits serves four elements: five times as fast as
    ``bernoulli_``.

    Args:
        like: any shape.
        drop_prob: probability of False.
        generator: None for PyTorch's global one.

    Returns:
        uint8, the shape of ``like``: 1 where kept, else 0. Comparisons into
        bool, and products with bool, are several times slower.
    """
    count = like.numel()
    words = torch.empty(-(-count * BITS // 64), dtype=torch.int64)
    words.random_(-2**63, None, generator=generator)
    threshold = round(drop_prob * 2**BITS) - 2**(BITS - 1)
    kept = words.view(torch.int16)[:count].ge_(threshold)
    return kept.to(torch.uint8).view(like.shape)


def runs_on_cpu(x: Tensor) -> bool:
    """Whether our functions for training on a CPU apply.

    Elsewhere PyTorch's own operators are used: on a GPU, in mixed precision,
    while a part is compiled, and where no gradient is needed.
    """
    return (x.device.type == 'cpu' and torch.is_grad_enabled()
            and not torch.is_autocast_enabled('cpu')
            and not torch.compiler.is_compiling())


class MaskedScale(Function):
    """Multiply by a uint8 mask and a number; keeps the mask, one byte per
    element."""

    @staticmethod
    def forward(ctx, x: Tensor, mask: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.scale = scale
        return (x * mask).mul_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        mask, = ctx.saved_tensors
        return (grad * mask).mul_(ctx.scale), None, None


class Dropout(nn.Dropout):
    """``nn.Dropout`` for large tensors.

    In training on a CPU the mask is drawn by :func:`keep_mask` and kept as
    uint8; PyTorch keeps it as float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not 0 < self.p < 1 or not runs_on_cpu(x):
            return super().forward(x)
        return MaskedScale.apply(x, keep_mask(x, self.p), 1 / (1 - self.p))
