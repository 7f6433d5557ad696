"""Dynamic convolution: three 1x1 layers whose weights a query predicts."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    def __call__(self,
                 features: Tensor,
                 params: Tensor,
                 centres: Tensor,
                 stride: int,
                 projection: nn.Conv2d | None = None) -> Tensor:
        """Compute the masks of all queries.

        The first layer is linear, so features and coordinates are processed
        separately: features are not repeated per query, and the coordinate
        part is an outer sum of a row and a column.

        Args:
            features: (F, C, h, w), F frames.
            params: (F, N, num_params).
            centres: (F, N, 2), (x, y) of the references in pixels.
            stride: pixels per cell.
            projection: convolution to apply to the features first, see
                :func:`project`; None for none.

        Returns:
            (F, N, h, w) logits.
        """
        frames, num_queries = params.shape[:2]
        height, width = features.shape[-2:]
        w1, w2, w3, b1, b2, b3 = params.split(self.sizes, dim=-1)
        w1 = w1.unflatten(-1, (self.channels, -1))  # (F, N, D, C + 2)
        x = project(features, w1[..., :self.in_channels].flatten(1, 2),
                    projection)
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


def project(features: Tensor, weights: Tensor,
            projection: nn.Conv2d | None) -> Tensor:
    """Apply 1x1 weights to the features of each frame.

    Where they have fewer outputs than the projection, both are composed to
    one convolution, since both are linear: one query uses 8 combinations of
    256 projected channels.

    Args:
        features: (F, C, h, w).
        weights: (F, outputs, C').
        projection: from C to C' channels; None where C' is C.

    Returns:
        (F, outputs, h * w).
    """
    if projection is not None and weights.shape[1] < weights.shape[2]:
        kernels = (weights @ projection.weight.flatten(1)).unflatten(
            -1, projection.weight.shape[1:])
        return torch.cat([
            F.conv2d(x[None], kernel, bias, padding=projection.padding)
            for x, kernel, bias in zip(
                features, kernels, weights @ projection.bias, strict=True)
        ]).flatten(2)
    if projection is not None:
        features = projection(features)
    return torch.bmm(weights, features.flatten(2))
