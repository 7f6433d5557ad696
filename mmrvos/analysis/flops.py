"""FLOPs of whatever runs, counted operator by operator as it runs."""
from contextlib import ExitStack
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from mmrvos.models.layers import deformable_attention

aten = torch.ops.aten


def sampling_flops(values: tuple, *args, out_shape: tuple, **kwargs) -> int:
    """Four multiply-adds for every value that is sampled bilinearly."""
    return 8 * torch.Size(out_shape).numel()


def gathering_flops(table: tuple, index: tuple, *args, **kwargs) -> int:
    """A multiply-add for every value that goes into a weighted sum."""
    return 2 * torch.Size(index).numel() * table[-1]


def attention_flops(query: tuple, key: tuple, value: tuple, *args,
                    **kwargs) -> int:
    return sdpa_flop_count(query, key, value)


class PyTorchSampling:
    """Stands in for mmcv's compiled op, which no counter can look into."""

    @staticmethod
    def apply(value: Tensor, sizes: Tensor, starts: Tensor, locations: Tensor,
              weights: Tensor, step: int) -> Tensor:
        return deformable_attention.sample_levels(value, sizes.tolist(),
                                                  locations, weights)


class FlopCounter:
    """Counts FLOPs while it is entered; a multiply-add is two.

    Matrix products, convolutions, attention (through SDPA as well) and
    bilinear sampling, deformable attention's included. Not counted are what
    is linear in the size of a tensor: activations, norms, softmax, sums,
    resizing.

    PyTorch's operator counter is used since it sees what really runs: tracing
    counters (MMEngine's among them) have no SDPA and need tensors in and out.
    """

    def __init__(self) -> None:
        self.mode = FlopCounterMode(
            display=False,
            custom_mapping={
                aten.grid_sampler_2d:
                sampling_flops,
                aten._embedding_bag_forward_only:
                gathering_flops,
                aten._scaled_dot_product_flash_attention_for_cpu:
                attention_flops,
            })
        self.stack = ExitStack()

    def __enter__(self) -> 'FlopCounter':
        # fused layers of torch.nn are single operators without a count
        self.stack.callback(torch.backends.mha.set_fastpath_enabled,
                            torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        self.stack.enter_context(
            patch.object(deformable_attention,
                         'MultiScaleDeformableAttnFunction', PyTorchSampling))
        self.stack.enter_context(self.mode)
        return self

    def __exit__(self, *error) -> None:
        self.stack.close()

    def total(self) -> int:
        """FLOPs so far."""
        return self.mode.get_total_flops()
