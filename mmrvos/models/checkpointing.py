"""Activation checkpointing: compute activations again in the backward pass
instead of keeping them."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmdet.models.backbones.resnet import BasicBlock, Bottleneck
from mmdet.models.backbones.swin import SwinBlock
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

#: modules of other libraries whose whole forward pass is computed again
BLOCKS = (BasicBlock, Bottleneck, SwinBlock, ConvModule)
#: the same of transformers, whose blocks are in private modules, by class name
TRANSFORMERS_BLOCKS = ('ConvNextLayer', 'Sam2MultiScaleBlock')


class Checkpointed(nn.Module):
    """A module that chooses which of its steps are computed again."""
    checkpointing = False

    def recomputed(self, function: Callable, *args, **kwargs) -> Any:
        """Call a function; with ``checkpointing``, keep only its arguments.
        """
        if self.checkpointing and torch.is_grad_enabled():
            return recompute(self, function, *args, **kwargs)
        return function(*args, **kwargs)


def recompute(module: nn.Module, function: Callable, *args, **kwargs) -> Any:
    """Call a function whose activations are not kept.

    The second call draws the same random numbers and does not update the
    statistics of batch norms.

    Args:
        module: the one whose step the function is.
    """
    # Tensors inside the partial stay the same objects, unlike arguments of
    # checkpoint: attention tests whether its query is its key.
    return checkpoint(
        partial(function, *args, **kwargs),
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), constant_statistics(module)))


@contextmanager
def constant_statistics(module: nn.Module) -> Iterator[None]:
    """Keep batch norms that train from updating their running statistics."""
    norms = {
        norm: (norm.momentum, norm.num_batches_tracked)
        for norm in module.modules()
        if isinstance(norm, _BatchNorm) and norm.training
    }
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0., None
    try:
        yield
    finally:
        for norm, (momentum, count) in norms.items():
            norm.momentum, norm.num_batches_tracked = momentum, count


def enable_checkpointing(model: nn.Module) -> None:
    """Turn activation checkpointing on in all modules that support it."""
    for module in model.modules():
        if (isinstance(module, BLOCKS)
                or type(module).__name__ in TRANSFORMERS_BLOCKS):
            if hasattr(module, 'with_cp'):
                # mmdet's own is reentrant, which DistributedDataParallel with
                # unused parameters refuses
                module.with_cp = False
            module.forward = partial(run_block, module)
        elif hasattr(module, 'checkpointing'):
            module.checkpointing = True


def run_block(block: nn.Module, *args, **kwargs) -> Any:
    """Replace ``forward`` of a block."""
    forward = partial(type(block).forward, block)
    if torch.is_grad_enabled():
        return recompute(block, forward, *args, **kwargs)
    return forward(*args, **kwargs)
