import torch
from mmcv.cnn.bricks.transformer import FFN
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ..checkpointing import Checkpointed
from ..chunks import chunk_slices
from .dropout import Dropout, keep_mask, runs_on_cpu
from .tokens import ROWS


class FeedForward(Checkpointed, FFN):
    """mmcv's feed-forward network with ReLU, for training on a CPU.

    Weights and results are mmcv's. In training on a CPU
    :class:`HiddenLayer` computes the two linear layers. With checkpointing
    the hidden layer is computed again in the backward pass.

    Args:
        embed_dims: C.
        feedforward_channels: width of the hidden layer.
        ffn_drop: dropout of the hidden layer and of the output.
    """

    def __init__(self, embed_dims: int, feedforward_channels: int,
                 ffn_drop: float = 0.) -> None:
        super().__init__(embed_dims, feedforward_channels, ffn_drop=ffn_drop)
        self.layers[-1] = Dropout(ffn_drop)

    def forward(self, x: Tensor, identity: Tensor | None = None) -> Tensor:
        """Return the network's output plus ``identity`` (default: ``x``).

        Args:
            x: (..., C).
        """
        (first, _, dropout), second, output_dropout = self.layers
        if not runs_on_cpu(x) or (dropout.training and dropout.p == 1):
            return self.recomputed(super().forward, x, identity)
        out = HiddenLayer.apply(x, first.weight, first.bias, second.weight,
                                second.bias,
                                dropout.p if dropout.training else 0.,
                                self.checkpointing)
        return (x if identity is None else identity) + output_dropout(out)


class HiddenLayer(Function):
    """Linear layer, ReLU, dropout, linear layer, some rows at a time.

    PyTorch keeps three tensors of the hidden layer for the backward pass:
    behind the ReLU, the dropout mask as float32, and behind the dropout. The
    last one is enough, since a gradient passes exactly where it is positive.
    The hidden layer of some rows stays in the cache.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight1: Tensor, bias1: Tensor,
                weight2: Tensor, bias2: Tensor, drop_prob: float,
                recompute: bool) -> Tensor:
        """Apply both layers.

        Args:
            x: (..., C).
            weight1, bias1: (hidden, C) and (hidden,).
            weight2, bias2: (C', hidden) and (C',).
            drop_prob: of the dropout, below 1.
            recompute: compute the hidden layer again in the backward pass,
                instead of keeping it.

        Returns:
            (..., C').
        """
        rows = x.flatten(0, -2)
        # a generator of its own, so that a mask can be drawn again
        ctx.seed = int(torch.randint(2**62, ())) if drop_prob else 0
        ctx.drop_prob = drop_prob
        hidden = rows.new_empty(0 if recompute else len(rows), len(weight1))
        out = rows.new_empty(len(rows), len(weight2))
        generator = torch.Generator().manual_seed(ctx.seed)
        buffer = hidden.new_empty(min(len(rows), ROWS), len(weight1))
        for part in chunk_slices(len(rows), ROWS):
            kept = buffer[:part.stop - part.start] if recompute else (
                hidden[part])
            apply_first(rows[part], weight1, bias1, drop_prob, generator, kept)
            torch.addmm(
                bias2, kept, weight2.t(), alpha=1 / (1 - drop_prob),
                out=out[part])
        ctx.save_for_backward(x, weight1, bias1, weight2, hidden)
        return out.view(*x.shape[:-1], len(weight2))

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight1, bias1, weight2, hidden = ctx.saved_tensors
        rows, grads = x.flatten(0, -2), grad.flatten(0, -2)
        scale = 1 / (1 - ctx.drop_prob)
        grad_rows = torch.empty_like(rows)
        grad_weight1, grad_weight2 = (
            torch.zeros_like(weight) for weight in (weight1, weight2))
        grad_bias1 = torch.zeros_like(bias1)
        generator = torch.Generator().manual_seed(ctx.seed)
        size = min(len(rows), ROWS)
        buffers = rows.new_empty(3, size, len(weight1))
        for part in chunk_slices(len(rows), ROWS):
            kept, grad_hidden, passes = buffers[:, :part.stop - part.start]
            if len(hidden):
                kept = hidden[part]
            else:
                apply_first(rows[part], weight1, bias1, ctx.drop_prob,
                            generator, kept)
            torch.mm(grads[part], weight2, out=grad_hidden)
            # 0 or 1 as float: a product with bool takes six times as long
            grad_hidden.mul_(torch.sign(kept, out=passes))
            torch.mm(grad_hidden, weight1, out=grad_rows[part])
            grad_weight1.addmm_(grad_hidden.t(), rows[part], alpha=scale)
            grad_bias1 += grad_hidden.sum(0)
            grad_weight2.addmm_(grads[part].t(), kept, alpha=scale)
        return (grad_rows.mul_(scale).view_as(x), grad_weight1,
                grad_bias1.mul_(scale), grad_weight2, grads.sum(0), None, None)


def apply_first(rows: Tensor, weight: Tensor, bias: Tensor, drop_prob: float,
                generator: torch.Generator, out: Tensor) -> None:
    """Apply linear layer, ReLU and dropout, the latter without its scale.

    Args:
        rows: (n, C).
        weight, bias: (hidden, C) and (hidden,).
        drop_prob: of the dropout.
        generator: of the dropout.
        out: (n, hidden), receives the result.
    """
    torch.addmm(bias, rows, weight.t(), out=out).relu_()
    if drop_prob:
        out.mul_(keep_mask(out, drop_prob, generator))
