"""Initial values of ReferFormer, as in the official code."""
import math

import pytest
import torch

from mmrvos.registry import MODELS

from .tiny import tiny_cfg


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    model = MODELS.build(tiny_cfg())
    model.init_weights()
    return model


def xavier_bound(weight: torch.Tensor) -> float:
    return math.sqrt(6 / (weight[0].numel() + weight.transpose(0, 1)[0].numel()
                          ))


def is_xavier(weight: torch.Tensor) -> bool:
    """Uniform up to the bound, which a large matrix nearly reaches."""
    return 0.95 < weight.abs().max().item() / xavier_bound(weight) <= 1


def is_standard_normal(weight: torch.Tensor) -> bool:
    return abs(weight.std().item() - 1) < 0.15 and abs(weight.mean()) < 0.2


def test_class_and_box_heads(model):
    for branch in model.head.class_branches:
        # the initial probability of a query is 1 %
        torch.testing.assert_close(branch.bias,
                                   torch.full((1, ), -math.log(99)))
        assert branch.weight.abs().sum() > 0
    for index, branch in enumerate(model.head.box_branches):
        last = branch.layers[-1]
        assert not last.weight.any()
        small = -2. if index == 0 else 0.
        assert last.bias.tolist() == [0, 0, small, small]


def test_controller(model):
    for layer in model.head.controller.layers:
        assert is_xavier(layer.weight)
        assert not layer.bias.any()


def test_embeddings_and_references(model):
    assert is_standard_normal(model.encoder.level_embed)
    assert is_standard_normal(model.decoder.query_embed.weight)
    points = model.decoder.reference_points
    assert points.weight.abs().max() <= xavier_bound(points.weight)
    assert not points.bias.any()


def test_initial_sampling_offsets(model):
    attentions = [layer.self_attn for layer in model.encoder.layers]
    attentions += [layer.cross_attn for layer in model.decoder.layers]
    for attention in attentions:
        assert not attention.sampling_offsets.weight.any()
        assert not attention.attention_weights.weight.any()
        assert not attention.attention_weights.bias.any()
        # (heads, levels, points, 2): point p lies p + 1 cells away
        offsets = attention.sampling_offsets.bias.view(4, 4, 2, 2)
        radius = offsets.abs().amax(-1)
        torch.testing.assert_close(
            radius, torch.tensor([1., 2.]).expand(4, 4, 2))
        directions = offsets[:, 0, 0]
        expected = torch.tensor([[1., 0], [0, 1], [-1, 0], [0, -1]])
        torch.testing.assert_close(directions, expected, rtol=0, atol=1e-6)
        for linear in (attention.value_proj, attention.output_proj):
            assert is_xavier(linear.weight)
            assert not linear.bias.any()


def test_transformer_matrices(model):
    for layer in (*model.encoder.layers, *model.decoder.layers):
        assert is_xavier(layer.ffn.layers[0][0].weight)
        assert is_xavier(layer.ffn.layers[1].weight)
    for layer in model.decoder.layers:
        assert is_xavier(layer.self_attn.attn.in_proj_weight)


def test_projections(model):
    for projection in model.projections:
        assert is_xavier(projection.conv.weight)
        assert not projection.conv.bias.any()


def test_pixel_decoder(model):
    decoder = model.pixel_decoder
    convs = [m.conv for m in (*decoder.laterals, *decoder.outputs)]
    for conv in (*convs, decoder.mask_features):
        # Caffe2's Xavier: the fan-in alone, +-sqrt(3 / fan_in)
        bound = math.sqrt(3 / conv.weight[0].numel())
        assert 0.95 < conv.weight.abs().max().item() / bound <= 1
    assert not decoder.mask_features.bias.any()
    for block in decoder.blocks:
        assert is_xavier(block.self_attn.in_proj_weight)
        assert is_xavier(block.text_attn.out_proj.weight)
        assert is_xavier(block.ffn.layers[0][0].weight)
