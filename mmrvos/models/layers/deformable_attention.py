from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ..chunks import chunk_slices
from .dropout import Dropout, runs_on_cpu

Shapes = Sequence[tuple[int, int]]


def sample_levels(value: Tensor, shapes: Shapes, locations: Tensor,
                  weights: Tensor) -> Tensor:
    """Sample and weight features of several levels, in PyTorch.

    The result equals that of mmcv's ``multi_scale_deformable_attn_pytorch``,
    which keeps the samples of all levels in memory.

    Args:
        value: (B, sum h_i*w_i, heads, C).
        shapes: (h_i, w_i) of each level.
        locations: (B, Q, heads, levels, points, 2), (x, y) in [0, 1].
        weights: (B, Q, heads, levels, points).

    Returns:
        (B, Q, heads * C).
    """
    if runs_on_cpu(value):
        return SampleLevels.apply(value, shapes, locations, weights)
    if torch.is_grad_enabled() or value.device.type != 'cpu':
        return interpolate_levels(value, shapes, locations, weights)
    return gather_levels(value, shapes, locations, weights)


class SampleLevels(Function):
    """:func:`gather_levels`, differentiable, for training on a CPU.

    Neither samples nor indices are kept: the backward pass computes the
    indices again, one frame at a time.
    """

    @staticmethod
    def forward(ctx, value: Tensor, shapes: Shapes, locations: Tensor,
                weights: Tensor) -> Tensor:
        ctx.save_for_backward(value, locations, weights)
        ctx.shapes = shapes
        return gather_levels(value, shapes, locations, weights)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        frames = zip(
            *(x.split(1) for x in (*ctx.saved_tensors, grad)), strict=True)
        parts = [
            gather_gradients(value, ctx.shapes, locations, weights, part)
            for value, locations, weights, part in frames
        ]
        value, locations, weights = map(torch.cat, zip(*parts, strict=True))
        return value, None, locations, weights


def gather_gradients(value: Tensor, shapes: Shapes, locations: Tensor,
                     weights: Tensor, grad: Tensor) -> tuple[Tensor, ...]:
    """Compute the gradients of :func:`gather_levels`.

    The output is a product of a sparse matrix of weights and the cells. The
    gradient of the cells is the product of its transpose with the gradient
    of the output: again a weighted sum of rows, for each cell.

    Args:
        value, shapes, locations, weights: as in :func:`sample_levels`.
        grad: (B, Q, heads * C).

    Returns:
        Gradients of ``value``, ``locations`` and ``weights``.
    """
    table = add_borders(value, shapes)
    locations, weights = (
        x.detach().requires_grad_() for x in (locations, weights))
    with torch.enable_grad():
        index, corner_weights = corners(shapes, locations, weights)
        output = weighted_sum(table, index, corner_weights)
    grad = grad.reshape(output.shape)
    grad_locations, grad_weights = torch.autograd.grad(
        output, (locations, weights), grad)

    rows, columns = index.shape
    ends = torch.arange(
        0, rows * columns + 1, columns, dtype=index.dtype)
    matrix = csr_matrix(
        tuple(x.detach().flatten().numpy()
              for x in (corner_weights, index, ends)),
        shape=(rows, table.shape[:3].numel())).tocsc()
    by_cell = F.embedding_bag(
        torch.from_numpy(matrix.indices),
        grad,
        torch.from_numpy(matrix.indptr),
        per_sample_weights=torch.from_numpy(matrix.data),
        mode='sum',
        include_last_offset=True)
    grad_value = torch.cat([
        inside.flatten(1, 2)
        for inside in without_borders(by_cell.view_as(table), shapes)
    ], dim=1)
    return grad_value, grad_locations, grad_weights


def interpolate_levels(value: Tensor, shapes: Shapes, locations: Tensor,
                       weights: Tensor) -> Tensor:
    """:func:`sample_levels` with ``grid_sample``, level by level.

    Only the samples of one level are in memory at a time.
    """
    batch, num_queries, num_heads = locations.shape[:3]
    # points before queries: the sum over points is then contiguous
    grids = (2 * locations - 1).permute(3, 0, 2, 4, 1, 5).flatten(1, 2)
    weights = weights.permute(3, 0, 2, 4, 1).flatten(1, 2).unsqueeze(2)
    maps = value.permute(0, 2, 3, 1).flatten(0, 1)  # (B*heads, C, sum hw)
    parts = maps.split([h * w for h, w in shapes], dim=-1)
    output = 0
    for level, (shape, part) in enumerate(zip(shapes, parts, strict=True)):
        sampled = F.grid_sample(
            part.unflatten(-1, shape), grids[level], align_corners=False)
        output = output + (sampled * weights[level]).sum(2)
    return output.view(batch, -1, num_queries).transpose(1, 2)


def gather_levels(value: Tensor, shapes: Shapes, locations: Tensor,
                  weights: Tensor) -> Tensor:
    """:func:`sample_levels` with ``embedding_bag``, for a CPU.

    The result is one weighted sum over all levels, points and their four
    neighbouring cells. The C channels of a cell and head are contiguous in
    memory, so nothing is copied and no sample is stored: about six times as
    fast as ``grid_sample``. PyTorch's own backward pass would have to keep
    all indices and weights.
    """
    output = weighted_sum(
        add_borders(value, shapes), *corners(shapes, locations, weights))
    return output.view(*locations.shape[:2], -1)


def weighted_sum(table: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """Compute weighted sums of cells.

    Args:
        table: (B, cells, heads, C).
        index: (n, k) int, into the first three axes of ``table``.
        weights: (n, k).

    Returns:
        (n, C).
    """
    return F.embedding_bag(
        index, table.flatten(0, 2), per_sample_weights=weights, mode='sum')


def add_borders(value: Tensor, shapes: Shapes) -> Tensor:
    """Put a border of zeros around each level, so that points outside need
    no mask: one cell to the left and above, two to the right and below.

    Args:
        value: (B, sum h_i*w_i, heads, C).
        shapes: (h_i, w_i) of each level.

    Returns:
        (B, sum (h_i+3)*(w_i+3), heads, C).
    """
    num_cells = sum((h + 3) * (w + 3) for h, w in shapes)
    table = value.new_zeros(len(value), num_cells, *value.shape[2:])
    parts = value.split([h * w for h, w in shapes], dim=1)
    for inside, part in zip(
            without_borders(table, shapes), parts, strict=True):
        inside.copy_(part.view_as(inside))
    return table


def without_borders(table: Tensor, shapes: Shapes) -> list[Tensor]:
    """Return views of the levels of :func:`add_borders` without borders.

    Returns:
        (B, h_i, w_i, heads, C) each.
    """
    borders = [(h + 3, w + 3) for h, w in shapes]
    parts = table.split([h * w for h, w in borders], dim=1)
    return [
        part.unflatten(1, border)[:, 1:-2, 1:-2]
        for part, border in zip(parts, borders, strict=True)
    ]


def corners(shapes: Shapes, locations: Tensor,
            weights: Tensor) -> tuple[Tensor, Tensor]:
    """Find the four cells around each point, and their bilinear weights.

    Args:
        shapes, locations, weights: as in :func:`sample_levels`.

    Returns:
        Indices into the first three axes of :func:`add_borders`, int32, and
        the weights, which are differentiable:
        (B * Q * heads, 4 * levels * points) each.
    """
    batch, _, num_heads, _, num_points = locations.shape[:-1]
    areas = [(h + 3) * (w + 3) for h, w in shapes]
    # (B, Q, heads, levels * points) each: the points of all levels are
    # contiguous in memory
    sizes, _ = level_sizes(tuple(shapes), locations.device)
    height, width = sizes.repeat_interleave(num_points, 0).T
    x, y = locations.flatten(3, 4).unbind(-1)
    left, right = neighbours(x, width.to(x))
    top, below = neighbours(y, height.to(y))
    columns = torch.stack((1 - right, right), dim=-2)
    rows = torch.stack((1 - below, below), dim=-2)
    rows = rows * weights.flatten(3)[..., None, :]
    # weight of the four cells (above, below) x (left, right) of each point
    corner_weights = rows[..., None, :] * columns[..., None, :, :]

    first = sizes.new_tensor([0, *areas[:-1]]).cumsum(0).repeat_interleave(
        num_points) + width + 4  # the first cell inside the border
    frames = torch.arange(batch)[:, None, None, None] * sum(areas)
    heads = torch.arange(num_heads)[:, None]
    first = ((frames + first) * num_heads + heads).int()
    stride = ((width + 3) * num_heads).int()
    index = left * num_heads + top * stride + first
    step = torch.stack((stride * 0, stride * 0 + num_heads))  # to the right
    steps = torch.stack((step, step + stride))  # (2, 2, levels * points)
    index = index[..., None, None, :] + steps
    return (index.flatten(3).flatten(0, 2),
            corner_weights.flatten(3).flatten(0, 2))


def neighbours(position: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Find the two cells next to positions on one axis.

    Args:
        position: (..., n) in [0, 1].
        size: (n,), cells of the axis.

    Returns:
        The lower cell, int32, -1 to size; and the weight of the upper cell.
        Positions outside fall into a cell of the border.
    """
    # Rounded once, as in grid_sample: the gradients on both sides of a
    # centre differ, and all points are on centres before the training.
    position = (2 * position - 1).add_(1).double() * (size.double() / 2)
    position = position.sub_(0.5).to(size).clamp_(min=-1).minimum(size + 0.5)
    # NaN gets a valid cell, and stays NaN in the weight
    low = position.detach().floor().nan_to_num_(-1)
    return low.int(), position - low


def level_sizes(shapes: tuple[tuple[int, int], ...],
                device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (h_i, w_i) of each level and the index of its first cell, long.

    Cached, because a copy from the host waits for the GPU. While torch
    compiles or exports, nothing is cached: the tensors have no values then.
    """
    if torch.compiler.is_compiling():
        return new_level_sizes(shapes, device)
    return cached_level_sizes(shapes, device)


def new_level_sizes(shapes: tuple[tuple[int, int], ...],
                    device: torch.device) -> tuple[Tensor, Tensor]:
    """:func:`level_sizes`, not cached."""
    sizes = torch.tensor(shapes, device=device)
    return sizes, sizes.prod(1).cumsum(0) - sizes.prod(1)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def cached_level_sizes(shapes: tuple[tuple[int, int], ...],
                       device: torch.device) -> tuple[Tensor, Tensor]:
    """:func:`level_sizes`, cached.

    The compiled op saves these tensors for the backward pass, which
    ``torch.inference_mode`` forbids for tensors made under it.
    """
    return new_level_sizes(shapes, device)


def locate(references: Tensor, offsets: Tensor, sizes: Tensor) -> Tensor:
    """Add sampling offsets to reference points (Deformable DETR).

    Args:
        references: (B or 1, Q, levels, 2 or 4), (x, y) or (cx, cy, w, h) in
            [0, 1].
        offsets: (B, Q, heads, levels, points, 2), for points in cells of
            their level, for boxes in halves of (w, h) times the number of
            points.
        sizes: (levels, 2), (h_i, w_i).

    Returns:
        (B, Q, heads, levels, points, 2), (x, y) in [0, 1].
    """
    num_points = offsets.shape[-2]

    def repeat(x: Tensor) -> Tensor:
        # (..., levels, 2) to (..., levels * points * 2): a CPU is slow where
        # the last axis of a broadcast has two values
        return x[..., None, :].expand(
            *x.shape[:-1], num_points, 2).flatten(-3)

    flat = offsets.flatten(-3)
    if references.shape[-1] == 2:
        flat = flat / repeat(sizes.flip(1).to(flat.dtype))
    else:
        flat = flat / num_points * repeat(references[:, :, None, :, 2:]) * 0.5
    return (repeat(references[:, :, None, :, :2]) + flat).view_as(offsets)


def largest_divisor(number: int, limit: int) -> int:
    """Return the largest divisor of ``number`` that is at most ``limit``."""
    return next(d for d in range(min(number, limit), 0, -1)
                if number % d == 0)


class DeformableAttention(MultiScaleDeformableAttention):
    """mmcv's deformable attention, for any batch size and without host syncs.

    Weights and results are equal. There are two differences. Level sizes are
    Python ints, so that nothing waits for the GPU. ``im2col_step`` is fitted
    to the batch, because the compiled op refuses a batch that is not a
    multiple of it (a video of 67 frames, for example).
    """

    def __init__(self, *args, dropout: float = 0.1, **kwargs) -> None:
        super().__init__(*args, dropout=dropout, **kwargs)
        self.dropout = Dropout(dropout)

    def forward(self,
                query: Tensor,
                value: Tensor,
                *,
                reference_points: Tensor,
                shapes: Shapes,
                query_pos: Tensor | None = None,
                key_padding_mask: Tensor | None = None,
                max_queries: int | None = None,
                **kwargs) -> Tensor:
        """Attend to a few sampled points of every level (Deformable DETR).

        Args:
            query: (B, Q, C); also the residual.
            value: (B, sum h_i*w_i, C).
            reference_points: (B, Q, levels, 2 or 4), (x, y) or (cx, cy, w, h)
                relative to the padded maps.
            shapes: (h_i, w_i) of each level.
            query_pos: (B, Q, C).
            key_padding_mask: (B, sum h_i*w_i) bool, True where padded; the
                values there are zeroed.
            max_queries: queries that are sampled together on a CPU; None for
                all.
            kwargs: arguments that mmdet's layers pass to any attention.

        Returns:
            (B, Q, C).
        """
        identity = query
        if query_pos is not None:
            query = query + query_pos
        batch, num_queries, _ = query.shape
        points = (self.num_heads, self.num_levels, self.num_points)

        value = self.value_proj(value)
        if key_padding_mask is not None:
            value = value.masked_fill(key_padding_mask[..., None], 0.)
        dtype = value.dtype
        if dtype == torch.bfloat16:
            # its 8 bits move a sample by a third of a cell in a row of 80
            # cells, and the compiled op does not support it
            value = value.float()
        value = value.unflatten(-1, (self.num_heads, -1))
        offsets = self.sampling_offsets(query).unflatten(-1, (*points, 2))
        weights = self.attention_weights(query).unflatten(
            -1, (self.num_heads, -1)).softmax(-1).unflatten(-1, points[1:])
        sizes, starts = level_sizes(tuple(shapes), value.device)
        if value.is_cuda:
            locations = locate(reference_points, offsets, sizes)
            output = MultiScaleDeformableAttnFunction.apply(
                value.contiguous(), sizes, starts, locations.contiguous(),
                weights.contiguous(), largest_divisor(batch,
                                                      self.im2col_step))
        else:
            reference_points = reference_points.expand(batch, -1, -1, -1)
            output = torch.cat([
                sample_levels(
                    value[part], shapes,
                    locate(reference_points[part], offsets[part],
                           sizes).to(value.dtype),
                    weights[part].to(value.dtype)) for part in chunk_slices(
                        batch, max_queries, cost=num_queries)
            ])
        return self.dropout(self.output_proj(output.to(dtype))) + identity
