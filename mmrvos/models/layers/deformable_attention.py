from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction
from torch import Tensor

Shapes = Sequence[tuple[int, int]]
# On a CPU without gradients: what they ask for stays in the caches.
QUERIES_AT_ONCE = 2**13


def sample_levels(value: Tensor, shapes: Shapes, locations: Tensor,
                  weights: Tensor) -> Tensor:
    """Multi-scale deformable sampling in PyTorch.

    The numbers are those of mmcv's ``multi_scale_deformable_attn_pytorch``,
    which holds the samples of all levels before it weighs them.

    Args:
        value: (B, sum h_i*w_i, heads, C).
        shapes: (h_i, w_i) of each level.
        locations: (B, Q, heads, levels, points, 2), (x, y) in [0, 1].
        weights: (B, Q, heads, levels, points).

    Returns:
        (B, Q, heads * C).
    """
    if torch.is_grad_enabled() or value.is_cuda:
        return interpolate_levels(value, shapes, locations, weights)
    step = max(1, QUERIES_AT_ONCE // locations.shape[1])
    return torch.cat([
        gather_levels(part, shapes, *rest) for part, *rest in zip(
            *(x.split(step) for x in (value, locations, weights)),
            strict=True)
    ])


def interpolate_levels(value: Tensor, shapes: Shapes, locations: Tensor,
                       weights: Tensor) -> Tensor:
    """:func:`sample_levels`, one level after the other: no more than one
    level's samples are held."""
    batch, num_queries, num_heads = locations.shape[:3]
    # points before queries: the sum over points then runs along memory
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
    """:func:`sample_levels` as one weighted sum over all levels, points and
    their four neighbours.

    The C channels of a cell and head lie together in memory, so nothing is
    copied channels-first, and no sample is ever held: twice as fast on a CPU
    as ``grid_sample``, whose backward pass is the better one.
    """
    batch, num_queries, num_heads = locations.shape[:3]
    sizes, _ = level_sizes(tuple(shapes), value.device)
    sizes = sizes.flip(1).int()[:, None]  # (levels, 1, 2), (w_i, h_i)
    widths = sizes[..., 0] + 2
    # a border of zeros: what lies outside needs no mask
    areas = (sizes + 2).prod(-1)
    starts = areas.cumsum(0, dtype=torch.int32) - areas + widths + 1
    cells = sum((h + 2) * (w + 2) for h, w in shapes)
    table = value.new_zeros(batch, cells, *value.shape[2:])
    maps = table.split([(h + 2) * (w + 2) for h, w in shapes], dim=1)
    parts = value.split([h * w for h, w in shapes], dim=1)
    for (h, w), part, padded in zip(shapes, parts, maps, strict=True):
        padded.unflatten(1, (h + 2, w + 2))[:, 1:-1, 1:-1] = part.unflatten(
            1, (h, w))

    place = (locations * sizes - 0.5).clamp_(min=-1).minimum(sizes)
    # clamped as integers, so that not a number does not become a place
    low = place.floor().int().maximum(-torch.ones_like(sizes)).minimum(
        sizes - 1)
    right, below = (place - low).unbind(-1)
    columns = torch.stack((1 - right, right), dim=-1)
    rows = torch.stack((1 - below, below), dim=-1) * weights[..., None]
    shares = rows[..., None] * columns[..., None, :]

    frames = torch.arange(batch, dtype=torch.int32) * cells
    heads = torch.arange(num_heads, dtype=torch.int32)
    first = (frames[:, None, None, None] + starts[..., 0]) * num_heads
    first = (first + heads[:, None])[..., None]  # (B, 1, heads, levels, 1)
    x, y = low.unbind(-1)
    index = x * num_heads + y * (widths * num_heads) + first
    corners = torch.stack(
        (widths * 0, widths * 0 + 1, widths, widths + 1), dim=-1) * num_heads
    output = F.embedding_bag(
        (index[..., None] + corners).flatten(3).flatten(0, 2),
        table.flatten(0, 2),
        per_sample_weights=shares.flatten(3).flatten(0, 2),
        mode='sum')
    return output.view(batch, num_queries, -1)


@lru_cache(maxsize=64)
def level_sizes(shapes: tuple[tuple[int, int], ...],
                device: torch.device) -> tuple[Tensor, Tensor]:
    """(h_i, w_i) of each level and the index of its first cell, long.

    Kept, because a copy from the host lets it wait for the GPU.
    """
    sizes = torch.tensor(shapes, device=device)
    return sizes, sizes.prod(1).cumsum(0) - sizes.prod(1)


def largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of ``number`` that is at most ``limit``."""
    return next(d for d in range(min(number, limit), 0, -1)
                if number % d == 0)


class DeformableAttention(MultiScaleDeformableAttention):
    """mmcv's deformable attention, for any batch size and without host syncs.

    Same weights and numbers. Two differences: level sizes come as Python ints,
    so that nothing waits for the GPU to learn them; and ``im2col_step`` is
    fitted to the batch, because the compiled op refuses a batch that is not a
    multiple of it (a video of 67 frames, say).
    """

    def forward(self,
                query: Tensor,
                value: Tensor,
                *,
                reference_points: Tensor,
                shapes: Shapes,
                query_pos: Tensor | None = None,
                key_padding_mask: Tensor | None = None,
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
            kwargs: what mmdet's layers pass to every kind of attention.

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
            # its 8 bits place a sample a third of a cell off in an 80-cell
            # row, and the compiled op does not have it
            value = value.float()
        value = value.unflatten(-1, (self.num_heads, -1))
        offsets = self.sampling_offsets(query).unflatten(-1, (*points, 2))
        weights = self.attention_weights(query).unflatten(
            -1, (self.num_heads, -1)).softmax(-1).unflatten(-1, points[1:])
        sizes, starts = level_sizes(tuple(shapes), value.device)
        reference = reference_points[:, :, None, :, None]
        if reference.shape[-1] == 2:
            # offsets are in cells of their level: (w_i, h_i)
            locations = reference + offsets / sizes.flip(1)[:, None]
        else:
            locations = (
                reference[..., :2] +
                offsets / self.num_points * reference[..., 2:] * 0.5)

        if value.is_cuda:
            output = MultiScaleDeformableAttnFunction.apply(
                value.contiguous(), sizes, starts, locations.contiguous(),
                weights.contiguous(), largest_divisor(batch,
                                                      self.im2col_step))
        else:
            output = sample_levels(value, shapes, locations.to(value.dtype),
                                   weights.to(value.dtype))
        return self.dropout(self.output_proj(output.to(dtype))) + identity
