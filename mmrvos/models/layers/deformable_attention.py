from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction
from torch import Tensor

Shapes = Sequence[tuple[int, int]]


def sample_levels(value: Tensor, shapes: Shapes, locations: Tensor,
                  weights: Tensor) -> Tensor:
    """Multi-scale deformable sampling in PyTorch, one level after the other.

    The numbers are those of mmcv's ``multi_scale_deformable_attn_pytorch``,
    which stacks the samples of all levels before it weighs them; adding level
    by level never holds more than one level's samples.

    Args:
        value: (B, sum h_i*w_i, heads, C).
        shapes: (h_i, w_i) of each level.
        locations: (B, Q, heads, levels, points, 2), (x, y) in [0, 1].
        weights: (B, Q, heads, levels, points).

    Returns:
        (B, Q, heads * C).
    """
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
