import pytest
import torch
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import (
    multi_scale_deformable_attn_pytorch,
)

from mmrvos.models.layers import (
    DeformableAttention,
    DeformableEncoder,
    sample_levels,
    sine_word_positions,
)
from mmrvos.models.layers.deformable_attention import largest_divisor
from mmrvos.models.layers.deformable_encoder import flatten_levels

SHAPES = [(6, 9), (3, 5), (1, 2)]
TOKENS = sum(h * w for h, w in SHAPES)


@pytest.mark.parametrize('gradients', [True, False])
@pytest.mark.parametrize('num_queries', [1, 7, TOKENS, 2**13 + 1])
def test_sampling_equals_mmcv(gradients, num_queries):
    torch.manual_seed(0)
    value = torch.randn(2, TOKENS, 4, 8)
    # also outside the maps, where samples are zero
    locations = torch.rand(2, num_queries, 4, 3, 2, 2) * 1.6 - 0.3
    locations[:, 0, 0] = torch.tensor([[0., 1.], [-50., 50.]])
    weights = torch.rand(2, num_queries, 4, 3, 2)
    expected = multi_scale_deformable_attn_pytorch(
        value, torch.tensor(SHAPES), locations, weights)
    with torch.set_grad_enabled(gradients):
        actual = sample_levels(value, SHAPES, locations, weights)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_nan_positions_give_nan():
    locations = torch.rand(1, 3, 4, 3, 2, 2)
    locations[0, 1, 2, 0, 0] = float('nan')
    with torch.no_grad():
        sampled = sample_levels(
            torch.randn(1, TOKENS, 4, 8), SHAPES, locations,
            torch.rand(1, 3, 4, 3, 2))
    found = sampled.isnan().view(3, 4, 8).any(-1)
    assert found.nonzero().tolist() == [[1, 2]]


@pytest.mark.parametrize('size', [2, 4])
def test_attention_equals_mmcv(size):
    torch.manual_seed(0)
    args = dict(
        embed_dims=32, num_heads=4, num_levels=3, num_points=2, dropout=0.,
        batch_first=True)
    theirs, ours = MultiScaleDeformableAttention(**args), DeformableAttention(
        **args)
    torch.nn.init.normal_(theirs.sampling_offsets.weight, std=0.1)
    torch.nn.init.normal_(theirs.attention_weights.weight, std=0.1)
    ours.load_state_dict(theirs.state_dict())
    query, value = torch.randn(2, 7, 32), torch.randn(2, TOKENS, 32)
    padding = torch.zeros(2, TOKENS).bool()
    padding[1, 40:] = True
    reference = torch.rand(2, 7, 3, size)
    common = dict(
        query_pos=torch.randn(2, 7, 32),
        key_padding_mask=padding,
        reference_points=reference)
    starts = torch.tensor([0, 54, 69])
    expected = theirs(
        query,
        value=value,
        spatial_shapes=torch.tensor(SHAPES),
        level_start_index=starts,
        **common)
    actual = ours(query, value, shapes=SHAPES, **common)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('number,limit,expected', [(67, 64, 1), (36, 64, 36),
                                                   (128, 64, 64),
                                                   (90, 64, 45)])
def test_im2col_step_divides_any_batch(number, limit, expected):
    assert largest_divisor(number, limit) == expected


def test_valid_ratios_and_references_follow_the_padding():
    # the right half of the first level is padding
    padding = torch.zeros(1, 4, 8).bool()
    padding[:, :, 4:] = True
    memory = flatten_levels((torch.randn(1, 32, 4, 8), ), (padding, ), 1)
    torch.testing.assert_close(memory.valid_ratios,
                               torch.tensor([[[0.5, 1.0]]]))
    points = DeformableEncoder.reference_points(memory)[0, :, 0]
    # column 3 is the last of the image: 3.5 of 8 cells
    torch.testing.assert_close(points[3], torch.tensor([3.5 / 8, 0.5 / 4]))


def test_memory_maps_undo_flattening():
    levels = tuple(torch.randn(2, 8, h, w) for h, w in SHAPES)
    memory = flatten_levels(levels, None, 1)
    for level, again in zip(levels, memory.maps(), strict=True):
        torch.testing.assert_close(level, again, rtol=0, atol=0)


def test_word_positions_ignore_padding():
    padding = torch.tensor([[False, False, False, True],
                            [False, False, False, False]])
    positions = sine_word_positions(padding, 8)
    short = sine_word_positions(padding[:1, :3], 8)
    torch.testing.assert_close(positions[:1, :3], short)
    # the last word is at 2*pi, whatever the length
    torch.testing.assert_close(positions[0, 2], positions[1, 3])
    assert positions[0, 2, 1] == pytest.approx(1.0, abs=1e-5)
