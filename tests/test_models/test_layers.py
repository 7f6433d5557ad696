import pytest
import torch
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import (
    multi_scale_deformable_attn_pytorch,
)

from mmrvos.models.chunks import WHOLE, Chunks
from mmrvos.models.features import MultiscaleFeatures
from mmrvos.models.layers import (
    DeformableAttention,
    DeformableEncoder,
    FrameAttention,
    clip_time_positions,
    sample_levels,
    sine_word_positions,
)
from mmrvos.models.layers.deformable_attention import (
    largest_divisor,
    level_sizes,
)
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


def test_level_sizes_are_no_tensors_of_a_graph():
    """torch.export makes tensors without values; none may be kept."""
    attention = DeformableAttention(
        embed_dims=16, num_heads=2, num_levels=1, batch_first=True).eval()
    shapes = [(3, 7)]  # of no other test: they are cached

    class Attend(torch.nn.Module):

        def forward(self, x):
            return attention(
                x, x, reference_points=x.new_ones(1, 1, 1, 2), shapes=shapes)

    inputs = torch.rand(1, 21, 16)
    with torch.no_grad():
        program = torch.export.export(Attend(), (inputs, ), strict=False)
        torch.testing.assert_close(program.module()(inputs), Attend()(inputs))
    sizes, starts = level_sizes(tuple(shapes), torch.device('cpu'))
    assert sizes.tolist() == [[3, 7]] and starts.tolist() == [0]


def test_level_sizes_of_inference_mode_serve_the_training():
    """The compiled op saves them for the backward pass."""
    shapes = ((5, 11), (2, 3))  # of no other test: they are cached
    with torch.inference_mode():
        level_sizes(shapes, torch.device('cpu'))
    sizes, starts = level_sizes(shapes, torch.device('cpu'))
    assert sizes.tolist() == [[5, 11], [2, 3]] and starts.tolist() == [0, 55]
    assert not sizes.is_inference() and not starts.is_inference()


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


@pytest.mark.parametrize('temporal_encoding', [False, True])
@pytest.mark.parametrize('num_frames', [1, 2, 5])
@torch.no_grad()
def test_frame_attention_equals_its_formula(num_frames, temporal_encoding):
    torch.manual_seed(0)
    layer = FrameAttention(
        embed_dims=8, num_heads=2, temporal_encoding=temporal_encoding).eval()
    tokens = torch.randn(2 * num_frames, 3, 8)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    attention = layer.attention
    expected = tokens.clone()
    for clip in range(2):
        rows = slice(clip * num_frames, (clip + 1) * num_frames)
        for cell in range(3):
            x = layer.norm(tokens[rows, cell])  # (T, C)
            key = x
            if temporal_encoding:
                key = x + clip_time_positions(num_frames, 8, x.device)
            q, k, v = (
                torch.nn.functional.linear(source, weight, bias)
                for source, weight, bias in zip(
                    (key, key, x), attention.in_proj_weight.chunk(3),
                    attention.in_proj_bias.chunk(3), strict=True))
            heads = [
                torch.softmax(
                    q[:, h] @ k[:, h].T / 4**0.5, dim=-1) @ v[:, h]
                for h in (slice(0, 4), slice(4, 8))
            ]
            expected[rows, cell] += attention.out_proj(torch.cat(heads, -1))
    for limit in (None, 1, 2 * num_frames):
        torch.testing.assert_close(
            layer(tokens, num_frames, limit), expected, rtol=1e-4, atol=1e-5)
    layer.init_weights()
    assert torch.equal(layer(tokens, num_frames), tokens)


@torch.no_grad()
def test_an_encoder_across_frames_has_equal_chunks():
    torch.manual_seed(0)
    encoder = DeformableEncoder(
        num_layers=2, embed_dims=16, num_heads=2, num_levels=2, num_points=2,
        feedforward_channels=32,
        inter_frame=dict(type='FrameAttention', num_heads=2)).eval()
    encoder.init_weights()
    levels = (torch.randn(6, 16, 4, 6), torch.randn(6, 16, 2, 3))

    def run(chunks, num_frames=3):
        clip = MultiscaleFeatures(
            fine=None, levels=levels, padding=None, num_frames=num_frames,
            positions=(None, *(torch.randn(
                x[:1].shape, generator=torch.Generator().manual_seed(1))
                for x in levels)),
            image_sizes=torch.tensor([[8., 12.]] * 2), chunks=chunks)
        return encoder(levels, clip).tokens

    alone = run(WHOLE)
    for layer in encoder.inter_frame:
        torch.nn.init.normal_(layer.attention.out_proj.weight, std=0.5)
    whole = run(WHOLE)
    assert (whole - alone).abs().max() > 0.1
    small = run(Chunks(frames=1, pairs=1, pixels=1, queries=1))
    torch.testing.assert_close(small, whole, rtol=1e-4, atol=1e-5)
    # frames of other clips have no influence
    levels[0][3:] += 1
    assert torch.equal(run(WHOLE)[:3], whole[:3])


def test_the_width_of_attention_across_frames_is_the_encoders():
    with pytest.raises(ValueError, match='encoder.inter_frame.embed_dims'):
        DeformableEncoder(
            embed_dims=16, num_heads=2,
            inter_frame=dict(type='FrameAttention', embed_dims=32))
