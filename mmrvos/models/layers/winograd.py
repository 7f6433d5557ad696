"""3x3 convolutions with a quarter of the multiplications."""
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..chunks import chunk_slices

TILE = 4  # side of the outputs that are computed together
SIDE = TILE + 2  # of their inputs
# With fewer channels or pixels, the transforms cost as much as they save.
MIN_CHANNELS = 256
MIN_PIXELS = 240
ELEMENTS = 2**22  # of the tiles that are transformed at once: 16 MiB


@MODELS.register_module()
class WinogradConv2d(nn.Conv2d):
    """3x3 convolution that is fast on a CPU in inference.

    Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, CVPR 2016,
    arXiv:1509.09308, section 4) computes 4x4 outputs from 6x6 inputs with 36
    multiplications per pair of channels instead of 144. Large convolutions
    run 1.6 to 2.2 times as fast on one thread (docs/benchmarks.md). The
    rounding error is about five times that of a direct convolution in
    float32.

    On a GPU, with gradients, in other precision, for other kernels, strides
    and dilations, for few channels or pixels, and while a model is traced or
    compiled, this is :class:`torch.nn.Conv2d`. So a ``conv_cfg`` may set it
    for all convolutions of a network. The transformed kernels take four times
    the memory of the weights. They are cached until the weights change, and
    are neither copied nor pickled. PyTorch does not record changes in place of
    ``weight.data``: call :meth:`train` or :meth:`eval` after them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cache: tuple[Tensor, int, Tensor] | None = None

    def train(self, mode: bool = True) -> 'WinogradConv2d':
        # EMAHook swaps ``weight.data`` between training and testing
        self.cache = None
        return super().train(mode)

    def _apply(self, *args: Any, **kwargs: Any) -> 'WinogradConv2d':
        # moved to another device or precision, or into shared memory
        self.cache = None
        return super()._apply(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return dict(super().__getstate__(), cache=None)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: (B, C, h, w).

        Returns:
            (B, C', h, w), channels-last in memory.
        """
        if not self.applies(x):
            return super().forward(x)
        height, width = x.shape[-2:]
        rows, columns = -(-height // TILE), -(-width // TILE)
        x = F.pad(
            x.permute(0, 2, 3, 1),
            (0, 0, 1, columns * TILE - width + 1, 1,
             rows * TILE - height + 1)).contiguous()
        tiles = x.unfold(1, SIDE, TILE).unfold(2, SIDE, TILE)
        out = x.new_empty(
            len(x), rows, TILE, columns, TILE, self.out_channels)
        channels = max(self.in_channels, self.out_channels)
        for part in chunk_slices(
                rows, ELEMENTS, SIDE**2 * len(x) * columns * channels):
            out[:, part] = self.filter_tiles(tiles[:, part])
        out = out.view(len(x), rows * TILE, columns * TILE, -1)
        out = out[:, :height, :width].permute(0, 3, 1, 2)
        return out if self.bias is None else out.add_(self.bias[:, None, None])

    def filter_tiles(self, tiles: Tensor) -> Tensor:
        """Convolve tiles.

        Args:
            tiles: (B, rows, columns, C, 6, 6).

        Returns:
            (B, rows, 4, columns, 4, C').
        """
        _, inputs, outputs = transforms()
        grid = tiles.shape[:3]
        tiles = tiles.permute(4, 5, 0, 1, 2, 3).reshape(SIDE**2, -1)
        products = torch.bmm(
            (inputs @ tiles).view(SIDE**2, -1, self.in_channels),
            self.transformed())
        out = (outputs @ products.flatten(1)).view(TILE, TILE, *grid, -1)
        return out.permute(2, 3, 0, 4, 1, 5)

    def applies(self, x: Tensor) -> bool:
        """Return whether the fast way computes the same and is faster."""
        return (self.kernel_size == (3, 3) and self.stride == (1, 1)
                and self.padding == (1, 1) and self.dilation == (1, 1)
                and self.groups == 1 and self.padding_mode == 'zeros'
                and min(self.in_channels, self.out_channels) >= MIN_CHANNELS
                and x.dim() == 4 and x.shape[1] == self.in_channels
                and x.numel() >= MIN_PIXELS * self.in_channels
                and x.device.type == 'cpu'
                and x.dtype == self.weight.dtype == torch.float32
                and not torch.is_grad_enabled()
                and not torch.is_autocast_enabled('cpu')
                and not torch.compiler.is_compiling()
                and not torch.jit.is_tracing()
                and not self.weight.is_inference())

    def transformed(self) -> Tensor:
        """Return the transformed kernels, (36, C, C')."""
        weight, cache = self.weight, self.cache
        if (cache is None or not weight.is_set_to(cache[0])
                or weight._version != cache[1]):
            kernels, _, _ = transforms()
            kernels = (kernels @ weight.double().flatten(2).permute(
                2, 1, 0).flatten(1)).float().view(SIDE**2, self.in_channels,
                                                  self.out_channels)
            # While the cache refers to the weights, no other weights can be
            # at their address.
            self.cache = cache = weight.detach(), weight._version, kernels
        return cache[2]


@cache
def transforms() -> tuple[Tensor, Tensor, Tensor]:
    """Return the transforms of kernels, inputs and outputs.

    The points of the interpolation are 0, the roots of 1/2 and of 2 with both
    signs, and infinity. The usual ones, with 1 and 2 instead of the roots,
    have twice the rounding error.

    Returns:
        (36, 9), (36, 36) and (16, 36); rows and columns of a tile are
        flattened.
    """
    points = np.array([0, .5**.5, -.5**.5, 2**.5, -2**.5])

    def powers(number: int) -> np.ndarray:
        """Evaluate the monomials at all points, the last one infinity."""
        return np.vstack(
            [points[:, None]**np.arange(number),
             np.eye(number)[-1:]])

    matrices = (powers(3), np.linalg.inv(powers(SIDE)).T, powers(TILE).T)
    kernels, inputs, outputs = (np.kron(m, m) for m in matrices)
    return (torch.from_numpy(kernels), torch.from_numpy(inputs).float(),
            torch.from_numpy(outputs).float())
