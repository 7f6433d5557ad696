"""Count FLOPs operator by operator while a model runs."""
from contextlib import ExitStack
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from mmrvos.models.layers import deformable_attention

aten = torch.ops.aten


def sampling_flops(values: tuple, *args, out_shape: tuple, **kwargs) -> int:
    """Count four multiply-adds per bilinearly sampled value."""
    return 8 * torch.Size(out_shape).numel()


def gathering_flops(table: tuple, index: tuple, *args, **kwargs) -> int:
    """Count one multiply-add per value of a weighted sum."""
    return 2 * torch.Size(index).numel() * table[-1]


def attention_flops(query: tuple, key: tuple, value: tuple, *args,
                    **kwargs) -> int:
    return sdpa_flop_count(query, key, value)


class PyTorchSampling:
    """Replace mmcv's compiled op, whose operators no counter sees."""

    @staticmethod
    def apply(value: Tensor, sizes: Tensor, starts: Tensor, locations: Tensor,
              weights: Tensor, step: int) -> Tensor:
        return deformable_attention.sample_levels(value, sizes.tolist(),
                                                  locations, weights)


class FlopCounter:
    """Context manager that counts FLOPs; a multiply-add is two.

    It counts matrix products, convolutions, attention (SDPA included) and
    bilinear sampling (deformable attention included). It does not count
    operators that are linear in the size of a tensor: activations, norms,
    softmax, sums, resizing.

    It is based on PyTorch's operator counter. Counters that trace the model,
    such as MMEngine's, do not know SDPA and need tensors as inputs.
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
        # fused layers of torch.nn are operators that the counter does not know
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
        """Return the FLOPs so far."""
        return self.mode.get_total_flops()
