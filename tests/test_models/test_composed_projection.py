"""Testing composes the last convolution with the chosen query's layer."""
import pytest
import torch
from torch import nn

from mmrvos.models.heads.dynamic_mask import DynamicMaskLayers, project
from mmrvos.models.layers import in_rows


@pytest.mark.parametrize('queries, composed', [(1, True), (2, False)])
def test_projection_before_the_layers_or_in_them(queries, composed):
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 16, 3, padding=1)
    layers = DynamicMaskLayers(16, 8, relative_coords=True)
    features = torch.randn(3, 5, 6, 7)
    params = torch.randn(3, queries, layers.num_params)
    centres = 20 * torch.rand(3, queries, 2)
    calls = []
    conv.register_forward_hook(lambda *args: calls.append(args))
    found = layers(features, params, centres, 4, conv)
    assert len(calls) == (0 if composed else 1)
    torch.testing.assert_close(
        found, layers(conv(features), params, centres, 4),
        rtol=1e-5, atol=1e-5)


def test_project_without_convolution():
    features, weights = torch.randn(2, 3, 4, 5), torch.randn(2, 6, 3)
    torch.testing.assert_close(
        project(features, weights, None),
        torch.einsum('fchw,foc->fohw', features, weights).flatten(2))


def test_in_rows():
    """Chunks in testing, one call with gradients; the same result."""
    sizes = []

    def function(rows):
        sizes.append(rows.shape[:-1].numel())
        return rows * 2 + 1

    tokens = torch.randn(2, 1500, 4)
    with torch.no_grad():
        found = in_rows(function, tokens)
    assert sizes == [1024, 1024, 952]
    assert torch.equal(found, in_rows(function, tokens))
    assert sizes[3:] == [3000]
