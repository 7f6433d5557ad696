"""Dynamic convolution: three 1x1 layers whose weights a query predicts."""
import torch
from torch import Tensor


class DynamicMaskLayers:
    """Apply dynamic convolutions with parameters from queries (CondInst).

    All weights come first, then all biases, each weight row-major (output,
    input). The first layer takes the mask features, then dx and dy.

    Args:
        in_channels: of the mask features.
        channels: of the two hidden layers.
        relative_coords: append the vector from each cell to the reference.
    """

    def __init__(self, in_channels: int, channels: int,
                 relative_coords: bool) -> None:
        self.in_channels = in_channels
        self.channels = channels
        self.relative_coords = relative_coords
        first = in_channels + 2 * relative_coords
        self.sizes = (channels * first, channels * channels, channels,
                      channels, channels, 1)

    @property
    def num_params(self) -> int:
        return sum(self.sizes)

    def __call__(self, features: Tensor, params: Tensor, centres: Tensor,
                 stride: int) -> Tensor:
        """Compute the masks of all queries.

        The first layer is linear, so features and coordinates are processed
        separately: features are not repeated per query, and the coordinate
        part is an outer sum of a row and a column.

        Args:
            features: (F, C, h, w), F frames.
            params: (F, N, num_params).
            centres: (F, N, 2), (x, y) of the references in pixels.
            stride: pixels per cell.

        Returns:
            (F, N, h, w) logits.
        """
        frames, num_queries = params.shape[:2]
        height, width = features.shape[-2:]
        w1, w2, w3, b1, b2, b3 = params.split(self.sizes, dim=-1)
        w1 = w1.unflatten(-1, (self.channels, -1))  # (F, N, D, C + 2)
        x = torch.bmm(w1[..., :self.in_channels].flatten(1, 2),
                      features.flatten(2))
        x = x.view(frames, num_queries, self.channels, height, width)
        if self.relative_coords:
            # As in the official code, cell (i, j) is at x = stride * j +
            # stride // 2, y = stride * i + stride // 2.
            rows = torch.arange(height, device=x.device) * stride + stride // 2
            columns = torch.arange(
                width, device=x.device) * stride + stride // 2
            dx = centres[..., :1] - columns  # (F, N, w)
            dy = centres[..., 1:] - rows  # (F, N, h)
            wx, wy = w1[..., -2], w1[..., -1]
            x = x + (
                wx[..., None] * dx[:, :, None])[..., None, :] + (
                    wy[..., None] * dy[:, :, None])[..., None]
        x = (x + b1[..., None, None]).relu_().flatten(3).flatten(0, 1)
        w2 = w2.reshape(-1, self.channels, self.channels)
        x = torch.baddbmm(b2.reshape(-1, self.channels, 1), w2, x).relu_()
        w3 = w3.reshape(-1, 1, self.channels)
        x = torch.baddbmm(b3.reshape(-1, 1, 1), w3, x)
        return x.view(frames, num_queries, height, width)
