"""Feed-forward networks, dropout and sampling in training on a CPU."""
import pytest
import torch
from mmcv.cnn.bricks.transformer import FFN

from mmrvos.models.layers import Dropout, FeedForward
from mmrvos.models.layers.deformable_attention import (
    SampleLevels,
    interpolate_levels,
)
from mmrvos.models.layers.dropout import keep_mask

ROWS = 1024 + 7  # two chunks


def gradients(module, x):
    """Return output and gradients of input and parameters."""
    out = module(x)
    weights = torch.linspace(-1, 1, out.numel()).view_as(out)
    return (out, *torch.autograd.grad((out * weights).sum(),
                                      [x, *module.parameters()]))


def held_bytes(function):
    """Return how much a function keeps for the backward pass."""
    sizes = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        out = function()
    del out
    return sum(sizes.values())


@pytest.fixture
def networks():
    torch.manual_seed(0)
    theirs = FFN(8, 24)
    ours = FeedForward(8, 24)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@pytest.mark.parametrize('checkpointing', [False, True])
@pytest.mark.parametrize('shape', [(ROWS, 8), (2, 3, 5, 8), (0, 8)])
def test_feed_forward_equals_mmcv(networks, checkpointing, shape):
    theirs, ours = networks
    ours.checkpointing = checkpointing
    x = torch.randn(shape, requires_grad=True)
    for expected, actual in zip(
            gradients(theirs, x), gradients(ours, x), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_dropout_of_the_hidden_layer(networks):
    """The same hidden elements are dropped in both passes."""
    _, ours = networks
    (first, _, dropout), second, _ = ours.layers
    dropout.p = 0.4
    x = torch.randn(ROWS, 8, requires_grad=True)
    found = {}
    for checkpointing in (False, True):
        ours.checkpointing = checkpointing
        torch.manual_seed(1)
        found[checkpointing] = gradients(ours, x)
    for kept, recomputed in zip(found[False], found[True], strict=True):
        torch.testing.assert_close(recomputed, kept, rtol=1e-5, atol=1e-5)
    # The output is linear in the second weight: its gradient contains the
    # hidden layer that the forward pass used.
    out, _, _, _, grad_weight2, _ = found[False]
    weights = torch.linspace(-1, 1, out.numel()).view_as(out)
    torch.testing.assert_close(
        (grad_weight2 * second.weight).sum(),
        ((out - x - second.bias) * weights).sum(), rtol=1e-3, atol=1e-3)
    # the mean over many masks is the network without dropout
    dropout.eval()
    expected = ours(x)
    dropout.train()
    mean = sum(ours(x).detach() for _ in range(200)) / 200
    assert (mean - expected).abs().mean() < 0.02
    torch.manual_seed(2)
    assert not torch.equal(ours(x), out)  # another mask


def test_only_the_needed_tensors_are_kept():
    hidden = ROWS * 64 * 4  # bytes
    x = torch.randn(ROWS, 8, requires_grad=True)
    held = {}
    for name, network in (('mmcv', FFN(8, 64, ffn_drop=0.1)),
                          ('ours', FeedForward(8, 64, 0.1)),
                          ('light', FeedForward(8, 64, 0.1))):
        network.checkpointing = name == 'light'
        held[name] = held_bytes(lambda network=network: network(x)) / hidden
    assert held['mmcv'] > 3 > 1.5 > held['ours'] > 1 > 0.4 > held['light']


@pytest.mark.parametrize('p', [0., 0.1, 0.5, 1.])
def test_dropout(p):
    torch.manual_seed(0)
    x = torch.ones(301, 333, requires_grad=True)
    dropout = Dropout(p)
    out = dropout(x)
    grad, = torch.autograd.grad(out.sum(), x)
    assert torch.equal(grad, out)  # of ones
    assert (out == 0).float().mean().item() == pytest.approx(p, abs=5e-3)
    assert out.mean().item() == pytest.approx(
        float(p < 1), abs=1e-2)
    assert torch.equal(dropout.eval()(x), x)


def test_masks_are_independent():
    mask = keep_mask(torch.empty(4000, 50), 0.3,
                     torch.Generator().manual_seed(0)).float()
    correlation = torch.corrcoef(mask.t()) - torch.eye(50)
    assert correlation.abs().max() < 0.08
    again = keep_mask(torch.empty(4000, 50), 0.3,
                      torch.Generator().manual_seed(0))
    assert torch.equal(mask.to(torch.uint8), again)


def test_mixed_precision_uses_pytorch(networks):
    """Autocast does not reach into the backward pass of our functions."""
    _, ours = networks
    x = torch.randn(5, 8, requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        out = ours(x)
    assert not torch.equal(out, ours(x))  # rounded to bfloat16
    grad, = torch.autograd.grad(out.sum(), x)
    expected, = torch.autograd.grad(ours(x).sum(), x)
    torch.testing.assert_close(grad, expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize('centred', [False, True])
def test_gradients_of_sampling(centred):
    """Points on the centres of cells, where gradients jump, as well."""
    torch.manual_seed(0)
    shapes = [(6, 9), (3, 5)]
    locations = torch.rand(2, 11, 4, 2, 3, 2) * 1.4 - 0.2
    if centred:
        sizes = torch.tensor(shapes).flip(1)[:, None]
        locations = ((locations * sizes).floor() + 0.5) / sizes
    inputs = [
        torch.randn(2, 69, 4, 8, requires_grad=True),
        locations.requires_grad_(),
        torch.rand(2, 11, 4, 2, 3, requires_grad=True),
    ]
    value, *points = inputs
    found = []
    for sample in (interpolate_levels, SampleLevels.apply):
        out = sample(value, shapes, *points)
        weights = torch.linspace(-1, 1, out.numel()).view_as(out)
        found.append(
            [out, *torch.autograd.grad((out * weights).sum(), inputs)])
    for expected, actual in zip(*found, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
